"""The page in a real browser, with the real server and a pushed model."""

import json
import subprocess
import urllib.request

import pytest

from tests.e2e.page.browser import TIMEOUT, Page

pytestmark = pytest.mark.e2e


@pytest.fixture
def url(pushed_server):
    _, ports = pushed_server
    return f"http://127.0.0.1:{ports['8501']}/"


@pytest.fixture
def opened(chromium, url):
    """The page with the answer to the example."""
    shown = Page(chromium, url)
    shown.until(lambda: "version 3" in shown.text("#took"))
    return shown


def code_of(page):
    """Return the output of the command on the page."""
    done = subprocess.run(
        ["bash", "-c", page.text("#code")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    return json.loads(done.stdout)["predictions"][0]


def test_the_example_is_answered_as_its_command_is(opened):
    answer = code_of(opened)
    assert opened.text(".facts dd") == shown_as(answer["score"])
    assert opened.text("#class") == answer["class"]
    assert opened.complaints() == []


def test_a_changed_field_changes_the_answer_as_it_does_the_commands(opened):
    before = code_of(opened)["score"]
    opened.write("fare", "77.25")
    opened.until(lambda: '"fare": 77.25' in opened.text("#code"))
    after = code_of(opened)["score"]
    assert after != before
    opened.until(lambda: opened.text(".facts dd") == shown_as(after))


def test_a_refusal_is_shown_beside_its_field_and_disappears(opened):
    opened.write("fare", "cheap")
    note = "#" + opened.field("fare").get_attribute("aria-describedby").split()[-1]
    opened.until(lambda: "'cheap', expected a number" in opened.text(note))
    opened.one("#example").click()
    opened.until(lambda: opened.text(note) == "")


def test_every_value_that_is_compared_is_answered(opened, url):
    with urllib.request.urlopen(f"{url}v1/models/taxi/description", timeout=TIMEOUT) as response:
        columns = [column["name"] for column in json.load(response)["inputs"]]
    opened.one("#compare").click()
    opened.until(lambda: opened.all(".effects button"))
    ranked = [button.text.split("\n")[0] for button in opened.all(".effects button")]
    assert sorted(ranked) == sorted(columns)
    assert not opened.one("#trouble").is_displayed()
    assert opened.complaints() == []


def test_an_older_version_is_asked(opened):
    choices = {choice.text: choice for choice in opened.all("#version option")}
    assert list(choices) == ["default (3)", "stable (3)", "3"]
    choices["stable (3)"].click()
    opened.until(lambda: "/labels/stable:predict" in opened.text("#code"))
    assert opened.text(".facts dd") == shown_as(code_of(opened)["score"])


def shown_as(score):
    """Return a score in the page's format."""
    return "<0.001" if 0 < score < 0.0005 else ">0.999" if 0.9995 < score < 1 else f"{score:.3f}"
