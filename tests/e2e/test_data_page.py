"""The data page in a real browser, from a file, without a network."""

import time

import pytest

from pipeline.report.page import page
from tests.e2e.page.browser import Page, offline
from tests.e2e.page.data_content import HOSTILE, content
from tests.e2e.page.reading import CONTRAST, UNNAMED

pytestmark = pytest.mark.e2e

COLUMNS = 60
MANY = 500
PATIENCE = 5.0  # seconds for what takes tenths of one; other tests run beside this one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def url(folder):
    path = folder / "data.html"
    path.write_text(page(content(COLUMNS)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(chromium, url):
    """The page, in a browser that reaches nothing but files and notes what it asks for."""
    with offline(chromium):
        shown = Page(chromium, url)
        shown.until(lambda: shown.all(".chart svg"))
        yield shown


def names(shown):
    script = "return [...document.querySelectorAll('#cards h3')].map((head) => head.textContent)"
    return shown.browser.execute_script(script)


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened):
    asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert opened.browser.execute_script(asked) == []
    assert opened.browser.get_log("browser") == []


def test_no_name_or_value_becomes_markup(opened):
    opened.one("#cards details summary").click()
    assert opened.all("img") == []
    assert opened.text("#cards h3") != ""
    assert names(opened)[1] == HOSTILE
    assert HOSTILE in opened.text("h1")
    assert HOSTILE in opened.text("#anomalies")
    assert opened.text("#rejected").count(HOSTILE) == 3
    assert opened.browser.get_log("browser") == []


def test_anomalies_come_first_and_columns_can_be_found_and_sorted(opened):
    assert names(opened)[0] == "number 2"
    assert opened.text("#count") == f"{COLUMNS} columns"
    opened.set("sort", "name")
    assert names(opened)[1:4] == ["number 1", "number 10", "number 11"]
    opened.set("sort", "schema")
    assert names(opened)[:3] == [HOSTILE, "number 1", "number 2"]
    opened.set("type", "text")
    assert opened.text("#count") == f"20 of {COLUMNS} columns"
    opened.set("type", "")
    opened.one("#search").send_keys("NUMBER 4")
    opened.until(lambda: len(names(opened)) == 8)
    assert set(names(opened)) == {f"number {i}" for i in (4, 40, 41, 43, 44, 46, 47, 49)}
    opened.one("#search").clear()
    opened.one("#only").click()
    opened.until(lambda: names(opened) == ["number 2"])


def test_500_columns_do_not_lag(opened, folder):
    path = folder / "many.html"
    path.write_text(page(content(MANY)), encoding="utf-8")
    assert path.stat().st_size < 3_000_000
    began = time.monotonic()
    opened.browser.get(path.as_uri())
    opened.until(lambda: opened.all(".chart svg"))
    assert time.monotonic() - began < PATIENCE
    drawn = len(opened.all(".chart svg"))
    assert 2 <= drawn < 40, "only what is near the window is drawn"
    script = """
      const began = performance.now();
      const sort = document.getElementById("sort");
      for (const order of ["name", "drift", "missing", "anomalies"]) {
        sort.value = order;
        sort.dispatchEvent(new Event("change"));
        document.body.getBoundingClientRect();
      }
      return performance.now() - began;
    """
    assert opened.browser.execute_script(script) < 1000 * PATIENCE


def test_a_chart_has_its_figures_as_a_table(opened):
    opened.one("#cards details summary").click()
    rows = opened.until(lambda: opened.all("#cards details table tbody tr"))
    assert len(rows) == 24
    assert rows[0].text.split()[:2] == ["0", "1"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_finds_its_way_and_texts_are_legible(opened, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    opened.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert opened.browser.execute_script(UNNAMED) == {
        "unnamed": [],
        "repeated": 0,
        "first": 1,
        "skipped": 0,
        "unscoped": 0,
        "landmarks": 4,
    }
    assert opened.browser.execute_script(CONTRAST) == []
    opened.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_fits_the_window(opened, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    opened.until(lambda: opened.browser.execute_script(fits))
    opened.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_keyboard_reaches_the_columns(opened):
    from selenium.webdriver.common.keys import Keys

    body = opened.one("body")
    body.send_keys(Keys.TAB)
    assert opened.browser.switch_to.active_element.text == "Skip to the columns"
    opened.browser.switch_to.active_element.send_keys(Keys.ENTER, Keys.TAB)
    assert opened.browser.switch_to.active_element.get_attribute("id") == "search"


def test_all_columns_are_printed(opened):
    opened.browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(opened.all(".chart svg")) >= 2 * COLUMNS
    assert opened.browser.get_log("browser") == []
