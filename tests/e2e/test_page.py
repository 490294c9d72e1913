"""The page in a real browser, against a server of canned answers that notes what it is asked."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.serve.page import page
from schemas.description import (
    Description,
    Input,
    Output,
    ParityPath,
    SignatureDescription,
    Slice,
)

pytestmark = pytest.mark.e2e

HOSTILE = "<img src=x onerror=alert(1)>"
TIMEOUT = 10


def description(**changes: Any) -> Description:
    """A model with a column of each kind that the form treats differently."""
    metrics = {"auc": 0.9490, "log_loss": 0.2071}
    fields: dict[str, Any] = {
        "name": "taxi",
        "pushed_at": "2026-11-21T04:31:07+00:00",
        "label": "big tip",
        "classes": ("small", "big"),
        "threshold": 0.5,
        "inputs": (
            Input(name="fare", kind="FLOAT", required=True, minimum=0, maximum=100, example=12.5),
            Input(name="hour", kind="INT", required=True, minimum=0, maximum=23, example=12),
            Input(name="tract", kind="INT", required=False, example=None),
            Input(
                name="payment", kind="BYTES", required=True, values=("Cash", "Card"), example="Card"
            ),
            Input(
                name="company",
                kind="BYTES",
                required=False,
                known=("O'Hare", "Flash"),
                example="O'Hare",
            ),
            Input(name=HOSTILE, kind="BYTES", required=False, known=(HOSTILE,), example=HOSTILE),
        ),
        "signatures": (
            SignatureDescription(
                name="predict",
                takes="raw columns",
                outputs=(Output(name="score", dtype="DT_FLOAT", shape=(), meaning="score"),),
            ),
        ),
        "metrics": (
            Slice(name="", rows=2238, metrics=metrics),
            Slice(name=f"company = {HOSTILE}", rows=17, metrics=metrics),
        ),
        "baseline": {"auc": 0.9450, "log_loss": 0.2148},
        "training_examples": 10512,
        "digests": {"data": "9f86d081" * 8},
        "parity": (ParityPath(name="REST rows", rows=11000, values=22000, differing=0),),
        "real_rows": 10000,
        "adversarial_rows": 1000,
        "versions": {"tensorflow": "2.16.2"},
    }
    return Description(**fields | changes)


def score(row: dict[str, Any]) -> float:
    """A made-up model: the fare moves it most, then how it is paid, then the hour; no more."""
    fare = 30.0 if math.isnan(row["fare"]) else row["fare"]
    hour = 0.0 if math.isnan(row["hour"]) else row["hour"]
    return 1 / (1 + math.exp(0.1 * (fare - 20) - (row["payment"] == "Card") + 0.02 * hour))


def answered(scores: list[float]) -> dict[str, Any]:
    """What the signature `predict` gives."""
    return {
        "score": scores,
        "class": ["big" if s >= 0.5 else "small" for s in scores],
        "probabilities": [[1 - s, s] for s in scores],
        "logits": [math.log(s / (1 - s)) for s in scores],
        "warnings": [f"{HOSTILE} is unknown"] * len(scores),
        "out_of_vocabulary": [0] * len(scores),
    }


def by_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


class FakeServer:
    """Serves the page and canned answers.

    Attributes:
      asked: the path and the parsed body of every request to predict, the latest last.
      token: that requests need; None for none.
      models: what GET /v1/models says.
      described: by path, the body of a description; any other is answered with 404.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.token: str | None = None
        versions = [
            {"version": 7, "state": "AVAILABLE", "labels": []},
            {"version": 5, "state": "END", "labels": []},
            {"version": 6, "state": "AVAILABLE", "labels": ["stable"]},
        ]
        self.models = [{"name": "taxi", "versions": versions, "default": 7}]
        body = description().model_dump(mode="json")
        self.described = {f"/v1/models/taxi{at}": body for at in ("", "/versions/6")}
        self.url = ""

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/v1/models":
            return 200, {"models": self.models}
        if path.endswith("/description"):
            body = self.described.get(path.removesuffix("/description"))
            return (404, {"error": "no description"}) if body is None else (200, body)
        if path.endswith("/metadata"):
            inputs = {"fare": {"dtype": "DT_FLOAT"}, "company": {"dtype": "DT_STRING"}}
            signatures = {"raw_columns": {"inputs": inputs}}
            return 200, {"metadata": {"signature_def": {"signature_def": signatures}}}
        status = {"error_code": "OK", "error_message": ""}
        return 200, {"model_version_status": [{"version": "7", "status": status}]}

    def post(self, path: str, body: bytes) -> tuple[int, Any]:
        document = json.loads(body)
        self.asked.append((path, document))
        columns = document.get("inputs") or by_columns(document["instances"])
        for name in ("fare", "hour", "tract"):
            for value in columns.get(name, []):
                if isinstance(value, str):
                    return 400, {"error": f"input '{name}': '{value}', expected a number"}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        if document["signature_name"] == "raw_columns":
            return 200, {"outputs": {"scores": [0.25] * len(rows), "logits": [-1.1] * len(rows)}}
        outputs = answered([score(row) for row in rows])
        if "instances" in document:
            return 200, {"predictions": [{"score": value} for value in outputs["score"]]}
        return 200, {"outputs": outputs}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a FakeServer."""

    fake: FakeServer

    def do_GET(self) -> None:
        if self.path == "/":
            self.reply(200, page(), "text/html; charset=utf-8")
        else:
            self.answer(lambda: self.fake.get(self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(lambda: self.fake.post(self.path, body))

    def answer(self, action: Callable[[], tuple[int, Any]]) -> None:
        token = self.fake.token
        refused = token is not None and self.headers["Authorization"] != f"Bearer {token}"
        status, document = (401, {"error": "a token is needed"}) if refused else action()
        self.reply(status, json.dumps(document).encode(), "application/json")

    def reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def running(fake: FakeServer):
    """Answer for a fake server at a free port."""
    handler = type("BoundHandler", (Handler,), {"fake": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        fake.url = f"http://127.0.0.1:{http.server_port}/"
        try:
            yield fake
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def server():
    with running(FakeServer()) as fake:
        yield fake


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """Headless Chromium, of Debian's packages chromium and chromium-driver."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    driver = shutil.which("chromedriver")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or binary is None:
        pytest.skip("needs chromium and chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless=new",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
        "--window-size=1280,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with it
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


class Page:
    """What a person does with the page, and sees."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(url)

    def all(self, css: str) -> list[Any]:
        return self.browser.find_elements("css selector", css)

    def one(self, css: str) -> Any:
        return self.browser.find_element("css selector", css)

    def text(self, css: str) -> str:
        return self.one(css).text

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for a condition; what is not on the page yet is no failure."""
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
        )
        from selenium.webdriver.support.ui import WebDriverWait

        early = [NoSuchElementException, StaleElementReferenceException]
        wait = WebDriverWait(self.browser, TIMEOUT, 0.02, ignored_exceptions=early)
        return wait.until(lambda _: condition())

    def until_score(self, expected: float) -> None:
        self.until(lambda: self.text(".facts dd") == f"{expected:.3f}")

    def field(self, name: str) -> Any:
        """The control that a label names, as a screen reader finds it."""
        script = "return [...document.querySelectorAll('label')]"
        script += ".find((label) => label.textContent === arguments[0]).control"
        return self.browser.execute_script(script, name)

    def write(self, name: str, text: str) -> None:
        control = self.field(name)
        control.clear()
        control.send_keys(text)

    def give_token(self, text: str) -> None:
        self.until(lambda: self.one("#token-text").is_displayed())
        self.one("#token-text").send_keys(text)
        self.one("#token-form button").click()

    def complaints(self) -> list[str]:
        """What the browser's console has, less the refusals of the server, which it logs, too."""
        entries = self.browser.get_log("browser")
        return [e["message"] for e in entries if "Failed to load resource" not in e["message"]]


@pytest.fixture
def opened(chromium, server):
    """The page with the answer to the example."""
    shown = Page(chromium, server.url)
    shown.until_score(score(EXAMPLE))
    return shown


EXAMPLE = {"fare": 12.5, "hour": 12, "tract": math.nan, "payment": "Card"}


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


def test_a_field_can_be_missing_and_come_back(opened, server):
    toggle = opened.one("[aria-label='fare is missing']")
    toggle.click()
    opened.until_score(score(EXAMPLE | {"fare": math.nan}))
    assert toggle.get_attribute("aria-pressed") == "true"
    assert "wants a value" in opened.text("#field-0-note")
    toggle.click()
    opened.until_score(score(EXAMPLE))
    assert opened.field("fare").get_attribute("value") == "12.5"
    assert opened.text("#field-0-note") == ""


def test_advice_and_refusals_stand_beside_their_field(opened):
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


def test_a_model_without_a_description_is_asked_by_its_signature(chromium, server):
    server.described.clear()
    shown = Page(chromium, server.url)
    shown.until_score(0.25)
    assert server.asked[-1][1]["signature_name"] == "raw_columns"
    assert shown.field("company").is_enabled() is False  # nothing tells an example
    assert shown.complaints() == []


def test_a_token_is_asked_for_and_kept_in_the_tab(chromium, server):
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
    assert "logistic baseline" in cards["How good it is"]
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


def test_a_server_that_is_gone_is_told(chromium):
    with running(FakeServer()) as fake:
        shown = Page(chromium, fake.url)
        shown.until_score(score(EXAMPLE))
    shown.one("#form .main").click()
    shown.until(lambda: shown.text("#trouble") == "The server cannot be reached.")
