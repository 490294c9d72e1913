"""The report of each kind of task, and pages about several runs, in a real browser."""

import pytest

from pipeline.report import compare_page, runs_page
from pipeline.report.run_page import page
from tests.e2e.page.browser import Page, offline
from tests.e2e.page.report_content import HOSTILE, comparison, content, listed

pytestmark = pytest.mark.e2e

HEADS = {
    "multiclass": ["Confusion", "Curves of each class", "Calibration of each class"],
    "regression": ["Errors"],
}


@pytest.mark.parametrize("task", HEADS)
def test_each_task_is_drawn_and_no_name_or_value_becomes_markup(chromium, tmp_path, task):
    path = tmp_path / "report.html"
    path.write_text(page(content(task)), encoding="utf-8")
    with offline(chromium):
        shown = Page(chromium, path.as_uri())
        shown.browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert shown.all("img") == []
        assert HOSTILE in shown.text("h1")
        assert HOSTILE in shown.text("#verdict .reason")
        assert shown.text("#data .empty") == f"No {HOSTILE}."
        assert [head.text for head in shown.all("#metrics h3")] == HEADS[task]
        empty = "return [...document.querySelectorAll('.chart')].filter((e) => !e.firstChild)"
        assert shown.browser.execute_script(f"{empty}.map((e) => e.ariaLabel)") == []
        assert shown.browser.get_log("browser") == []


@pytest.mark.parametrize(
    ("made", "shown_content"), [(compare_page.page, comparison()), (runs_page.page, listed())]
)
def test_runs_are_compared_and_listed_on_pages(chromium, tmp_path, made, shown_content):
    path = tmp_path / "page.html"
    path.write_text(made(shown_content), encoding="utf-8")
    with offline(chromium):
        shown = Page(chromium, path.as_uri())
        assert shown.all("img") == []
        assert HOSTILE in shown.text("main section h2")
        assert len(shown.all("main table tbody tr")) >= 3
        shown.browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert all(each.find_elements("css selector", "svg") for each in shown.all(".chart"))
        assert shown.browser.get_log("browser") == []
        if shown.all(".trend"):
            assert len(shown.all(".trend svg")) == 3
            assert shown.all(".trend svg polyline")
