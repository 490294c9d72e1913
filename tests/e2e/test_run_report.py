"""The report of a run in a real browser, from a file, without a network."""

import csv

import pytest

from tests.e2e.page.browser import Page, offline
from tests.e2e.page.reading import CONTRAST, UNNAMED
from tests.e2e.page.report_content import ORDER

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def downloads(chromium, tmp_path_factory):
    """The folder that the browser saves files in."""
    folder = tmp_path_factory.mktemp("downloads")
    allowed = {"behavior": "allow", "downloadPath": str(folder)}
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    return folder


@pytest.fixture(scope="module")
def real(chromium, first):
    """The report of the first run of taxi trips."""
    with offline(chromium):
        shown = Page(chromium, f"file://{first.summary.report}")
        shown.until(lambda: shown.all(".chart svg"))
        yield shown


def column(shown, css, place):
    script = "return [...document.querySelectorAll(`${arguments[0]} tbody tr`)]"
    script += ".map((row) => row.children[arguments[1]].textContent)"
    return shown.browser.execute_script(script, css, place)


def test_the_report_asks_for_nothing_and_complains_of_nothing(real):
    asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert real.browser.execute_script(asked) == []
    real.one("#columns details summary").click()
    real.until(lambda: real.all(".column"))
    real.browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(real.all(".chart svg")) > 30
    assert real.browser.get_log("browser") == []


def test_the_cards_are_in_order_and_linked(real):
    script = "return [...document.querySelectorAll('main > section')].map((card) => card.id)"
    assert tuple(real.browser.execute_script(script)) == ORDER
    links = "return [...document.querySelectorAll('nav a')].map((link) => link.hash)"
    assert real.browser.execute_script(links) == [f"#{name}" for name in ORDER]
    assert real.text("#verdict h3") == "Version 1 is pushed"


def test_slices_come_worst_first_and_are_sorted_by_a_click(real):
    table = "#slices table.sortable"
    figures = zip(column(real, table, 2), column(real, table, 4), strict=True)
    worst = [float(text.split()[0]) for rows, text in figures if "*" not in rows]
    assert worst == sorted(worst, reverse=True)
    head = real.one(f"{table} thead th:nth-child(3) button")
    head.click()
    rows = [int(text.rstrip(" *").replace(",", "")) for text in column(real, table, 2)]
    assert rows == sorted(rows, reverse=True)
    sorted_by = real.one(f"{table} thead th:nth-child(3)")
    assert sorted_by.get_attribute("aria-sort") == "descending"
    head.click()
    assert sorted_by.get_attribute("aria-sort") == "ascending"


def test_the_sliders_choose_the_cheapest_threshold(real):
    def threshold():
        return float(real.text("label:has(#threshold) output"))

    real.set("cost-false", 1, event="input")
    real.set("cost-missed", 1, event="input")
    real.one("#cheapest").click()
    even = threshold()
    real.set("cost-missed", 20, event="input")
    real.one("#cheapest").click()
    assert threshold() < even
    assert real.text("tr.chosen th") == f"{threshold():g}"
    real.set("threshold", 0, event="input")
    assert threshold() < even


def test_each_picture_can_be_saved_with_its_data(real, downloads):
    figures = real.all("figure")
    assert len(figures) == len(real.all(".save")) / 2
    for kind in ("PNG", "CSV"):
        real.one(f"#training figure .save[aria-label^='Save as {kind}']").click()
    picture = downloads / "Loss-by-epoch-on-train-and-eval.png"
    table = downloads / "Loss-by-epoch-on-train-and-eval.csv"
    real.until(lambda: picture.exists() and table.exists())
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert {row["split"] for row in rows} == {"train", "eval"}
    assert all(float(row["loss"]) > 0 for row in rows)


def test_a_request_can_be_chosen_by_keyboard_and_copied(real):
    from selenium.webdriver.common.keys import Keys

    real.one("#reproduce [role=tab]").send_keys(Keys.ARROW_RIGHT)
    chosen = real.browser.switch_to.active_element
    assert (chosen.text, chosen.get_attribute("aria-selected")) == ("Python", "true")
    assert "urlopen" in real.text("#reproduce [role=tabpanel] pre")
    real.one("#reproduce [role=tabpanel] .copy button").click()
    real.until(
        lambda: real.text("#reproduce [role=tabpanel] .copy button") in {"Copied", "Selected"}
    )


def test_the_keyboard_skips_to_the_verdict(real):
    from selenium.webdriver.common.keys import Keys

    real.browser.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    real.one("body").send_keys(Keys.HOME)
    skip = real.one(".skip")
    real.browser.execute_script("arguments[0].focus()", skip)
    skip.send_keys(Keys.ENTER, Keys.TAB)
    assert real.browser.switch_to.active_element.find_elements(
        "xpath", "ancestor::*[@id='verdict']"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_finds_its_way_and_texts_are_legible(real, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    real.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    found = real.browser.execute_script(UNNAMED)
    real.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    expected = {"unnamed": [], "repeated": 0, "first": 1, "skipped": 0, "unscoped": 0}
    assert found == expected | {"landmarks": 3}
    assert real.browser.execute_script(CONTRAST) == []


@pytest.mark.parametrize("width", [360, 900, 1400])
def test_the_report_fits_the_window(real, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    real.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    real.until(lambda: real.browser.execute_script(fits))
    real.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
