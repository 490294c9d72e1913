"""The page in a real browser, with a server that has canned answers and records its requests."""

import math
import os
import re
import shutil
import subprocess
import sys

import pytest

from schemas.description import Input
from tests.e2e.page.browser import TIMEOUT, Page
from tests.e2e.page.fake_server import (
    EXAMPLE,
    HOSTILE,
    FakeServer,
    by_columns,
    running,
    score,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def server():
    with running(FakeServer()) as fake:
        yield fake


@pytest.fixture
def opened(chromium, server):
    """The page with the answer to the example."""
    shown = Page(chromium, server.url)
    shown.until_score(score(EXAMPLE))
    return shown


def test_the_example_is_asked_and_answered(opened, server):
    path, document = server.asked[0]
    assert path == "/v1/models/taxi:predict"
    assert document["signature_name"] == "predict"
    columns = {name: values[0] for name, values in document["inputs"].items()}
    assert math.isnan(columns.pop("tract"))
    assert columns == {
        "fare": 12.5,
        "hour": 12,
        "payment": "Card",
        "company": "O'Hare",
        HOSTILE: HOSTILE,
    }
    assert opened.text("#class") == "big"
    probabilities = [item.text.split() for item in opened.all("#answer .bars li")]
    expected = score(EXAMPLE)
    assert probabilities == [["small", f"{1 - expected:.3f}"], ["big", f"{expected:.3f}"]]
    assert "version 7" in opened.text("#took")


def test_no_name_or_value_becomes_markup(opened):
    opened.one("#compare").click()
    opened.until(lambda: opened.all(".effects button"))
    for button in range(len(opened.all(".effects button"))):
        opened.all(".effects button")[button].click()
    shown = opened.text("body")
    assert shown.count(HOSTILE) >= 4  # a label, a warning, a slice, an effect
    assert opened.all("img") == []
    script = """
      try { document.body.innerHTML = "<p>"; } catch (error) { return error.name; }
      return "set";
    """
    assert opened.complaints() == []
    assert opened.browser.execute_script(script) == "TypeError"


def test_a_changed_field_is_asked_as_it_was_typed(opened, server):
    opened.write("fare", "20.50")
    opened.until_score(score(EXAMPLE | {"fare": 20.5}))
    assert '"fare": 20.50' in opened.text("#code")
    assert opened.text("#class") == "big"


def test_a_field_can_be_set_to_missing_and_back(opened, server):
    toggle = opened.one("[aria-label='fare is missing']")
    toggle.click()
    opened.until_score(score(EXAMPLE | {"fare": math.nan}))
    assert toggle.get_attribute("aria-pressed") == "true"
    assert "requires a value" in opened.text("#field-0-note")
    toggle.click()
    opened.until_score(score(EXAMPLE))
    assert opened.field("fare").get_attribute("value") == "12.5"
    assert opened.text("#field-0-note") == ""


def test_advice_and_refusals_are_shown_beside_their_field(opened):
    opened.write("fare", "101")
    opened.until(lambda: opened.text("#field-0-note") == "Outside the schema's 0 … 100.")
    opened.write("fare", "cheap")
    refusal = "input 'fare': 'cheap', expected a number"
    opened.until(lambda: opened.text("#field-0-note") == refusal)
    assert opened.field("fare").get_attribute("aria-invalid") == "true"
    assert not opened.one("#trouble").is_displayed()
    opened.one("#example").click()
    opened.until(lambda: opened.text("#field-0-note") == "")
    opened.until_score(score(EXAMPLE))


def test_fields_are_compared_in_one_request(opened, server):
    before = len(server.asked)
    opened.one("#compare").click()
    opened.until(lambda: opened.all(".effects button"))
    (_, alone), (_, swept) = server.asked[before:]
    assert len(alone["inputs"]["fare"]) == 1
    rows = swept["inputs"]
    assert len(rows["fare"]) > 24 + 2 + 40
    assert set(rows["hour"][1:]) >= set(range(24))
    assert any(map(math.isnan, rows["hour"]))
    ranking = [button.text.split("\n") for button in opened.all(".effects button")]
    assert [name for name, _ in ranking][:3] == ["fare", "payment", "hour"]
    spread = score(EXAMPLE | {"fare": 0}) - score(EXAMPLE | {"fare": 100})
    assert ranking[0][1] == f"{spread:.2f}"
    label = opened.one(".detail svg").get_attribute("aria-label")
    assert label.startswith(f"Score by fare. Now 12.5: {score(EXAMPLE):.3f}.")


def test_a_row_is_explained_when_it_is_asked_for(opened, server):
    opened.one("#explain").click()
    opened.until(lambda: opened.all("#why .bars li"))
    path, document = server.asked[-1]
    assert (path, len(document["inputs"]["fare"])) == ("/v1/models/taxi:explain", 1)
    texts = [item.text.split("\n") for item in opened.all("#why .bars li")]
    assert texts[:2] == [["payment = Card", "+1"], ["fare = 12.5", "-0.75"]]
    assert "of 100 training rows is -1." in opened.text("#why .hint")
    opened.write("fare", "13")  # what is shown is of the row before
    opened.until(lambda: "stale" in opened.one("#why").get_attribute("class"))


def test_a_value_of_the_comparison_goes_into_the_form(opened):
    opened.one("#compare").click()
    opened.until(lambda: opened.all(".effects button"))
    opened.all(".effects button")[1].click()
    bars = opened.until(lambda: opened.all(".values button"))
    next(bar for bar in bars if bar.text.startswith("Cash")).click()
    opened.until_score(score(EXAMPLE | {"payment": "Cash"}))
    assert opened.field("payment").get_attribute("value") == "Cash"
    opened.until(lambda: opened.text(".values .chosen").startswith("Cash"))


@pytest.mark.parametrize("token", [None, "open sesame"])
@pytest.mark.parametrize("language", ["curl", "Python"])
def test_the_code_shown_asks_the_same(chromium, server, language, token):
    command = {"curl": ["bash", "-c"], "Python": [sys.executable, "-c"]}[language]
    if shutil.which(language.lower()) is None and language == "curl":
        pytest.skip("needs curl")
    shown = Page(chromium, server.url)
    shown.until_score(score(EXAMPLE))
    if token:
        server.token = token
        shown.one("#form .main").click()
        shown.give_token(token)
    next(tab for tab in shown.all("[role=tab]") if tab.text == language).click()
    shown.write("fare", "20")
    shown.until_score(score(EXAMPLE | {"fare": 20}))
    (_, by_page), code = server.asked[-1], shown.text("#code")
    environment = os.environ | {"TOKEN": token or ""}
    done = subprocess.run(
        [*command, code], capture_output=True, text=True, env=environment, timeout=TIMEOUT
    )
    assert str(score(EXAMPLE | {"fare": 20})) in done.stdout, done.stderr
    _, by_code = server.asked[-1]
    assert repr(by_columns(by_code["instances"])) == repr(by_page["inputs"])
    chromium.execute_script("sessionStorage.clear()")


def test_another_version_is_described_and_asked(opened, server):
    choices = [option.text for option in opened.all("#version option")]
    assert choices == ["default (7)", "7", "stable (6)", "6"]
    opened.write("fare", "3")
    opened.until_score(score(EXAMPLE | {"fare": 3}))
    opened.all("#version option")[3].click()
    opened.until(lambda: "version 6" in opened.text("#took"))
    assert server.asked[-1][0] == "/v1/models/taxi/versions/6:predict"
    assert server.asked[-1][1]["inputs"]["fare"] == [3]
    assert "/versions/6:predict" in opened.text("#code")


def test_another_model_is_described_and_asked(chromium, server):
    fare = Input(name="fare", kind="FLOAT", required=True, example=5)
    hour = Input(name="hour", kind="INT", required=True, example=0)
    payment = Input(name="payment", kind="BYTES", required=True, example="Cash")
    server.add("night bus", label="late", inputs=(hour, fare, payment))
    shown = Page(chromium, server.url)
    shown.until_score(score(EXAMPLE))
    shown.one("#compare").click()
    shown.until(lambda: shown.all(".effects button"))
    choices = shown.all("#model option")
    assert [choice.text for choice in choices] == ["taxi", "night bus"]

    choices[1].click()
    other = score({"fare": 5, "hour": 0, "payment": "Cash"})
    shown.until_score(other)
    shown.until(lambda: "version 2" in shown.text("#took"))
    assert server.asked[-1][0] == "/v1/models/night%20bus:predict"
    assert set(server.asked[-1][1]["inputs"]) == {"fare", "hour", "payment"}
    assert [label.text for label in shown.all("#fields label")] == ["hour", "fare", "payment"]
    assert shown.text("#title") == "late"
    assert [o.text for o in shown.all("#version option")] == ["default (2)", "2"]
    assert "/v1/models/night%20bus:predict" in shown.text("#code")
    assert re.findall(r"version (\d)", shown.one(".about").text) == ["2"]
    shown.until(lambda: len(shown.all(".effects button")) == 3)

    shown.all("#model option")[0].click()  # its fields are the example's again
    shown.until_score(score(EXAMPLE))
    assert shown.field("company").get_attribute("value") == "O'Hare"
    assert shown.complaints() == []


def test_a_model_without_a_description_is_asked_by_its_signature(chromium, server):
    server.described.clear()
    shown = Page(chromium, server.url)
    shown.until_score(0.25)
    assert server.asked[-1][1]["signature_name"] == "raw_columns"
    assert shown.field("company").is_enabled() is False  # there is no example
    assert shown.complaints() == []


def test_a_token_is_requested_and_kept_in_the_tab(chromium, server):
    server.token = "open sesame"
    shown = Page(chromium, server.url)
    for text in ("wrong", "open sesame"):
        shown.give_token(text)
    shown.until_score(score(EXAMPLE))
    stored = "return [sessionStorage.length, localStorage.length, document.cookie]"
    assert chromium.execute_script(stored) == [1, 0, ""]
    assert "$TOKEN" in shown.text("#code")
    assert "sesame" not in chromium.page_source
    chromium.execute_script("sessionStorage.clear()")


def test_what_is_known_of_the_model_is_shown(opened):
    cards = {card.text.split("\n")[0]: card.text for card in opened.all(".about .card")}
    assert re.findall(r"version (\d)", cards["Versions"]) == ["7", "6", "5"]
    assert "available" in cards["Versions"]
    assert "stable" in cards["Versions"]
    assert "0.9490" in cards["How good it is"]
    assert "logistic regression" in cards["How good it is"]
    assert f"company = {HOSTILE} 17 0.9490" in cards["How good it is"]
    assert "company = Flash" not in cards["How good it is"]
    assert "Not shown: slices of fewer than 17 rows (2), whose metrics" in cards["How good it is"]
    assert "10,000 real and 1,000 made-up rows" in cards["Proof of parity"]
    assert "Digests" in cards["Where it comes from"]


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(opened, width):
    opened.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    try:
        opened.one("#compare").click()
        opened.until(lambda: opened.all(".effects button"))
        scrolled = opened.browser.execute_script("return document.documentElement.scrollWidth")
    finally:
        opened.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert scrolled <= width


def test_a_stopped_server_is_reported(chromium):
    with running(FakeServer()) as fake:
        shown = Page(chromium, fake.url)
        shown.until_score(score(EXAMPLE))
    shown.one("#form .main").click()
    shown.until(lambda: shown.text("#trouble") == "The server cannot be reached.")
