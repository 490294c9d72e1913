"""The page of `skewless runs --html`: the runs of each pipeline, with sparklines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from pipeline.recorded_runs import RecordedRun
from pipeline.report.document import document
from pipeline.report.run_page import FILE_NAME as REPORT
from pipeline.report.run_page import PARTS, STYLES, finite
from pipeline.runs import facts

FILE_NAME = "index.html"

_SCRIPTS = (*PARTS, "runs/main.js")


def content_of(runs: Sequence[RecordedRun], place: str) -> dict[str, Any]:
    """Return the content of the page, as values of JSON.

    Args:
      runs: newest first.
      place: the folder that the page will be in, from which it links to reports.
    """
    return {"place": place, "runs": [finite(facts(run) | _titles(run, place)) for run in runs]}


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `content_of`.
    """
    return document(
        "run/page.html.j2", title="Runs", scripts=_SCRIPTS, content=content, styles=STYLES
    )


def _titles(run: RecordedRun, place: str) -> dict[str, Any]:
    """Return the path of the run's report, and which values of its objective are better."""
    from pipeline.summary import task_of

    summary = run.summary
    found: dict[str, Any] = {"report": None, "better": None}
    if summary is None:
        return found
    if summary.report is not None:
        own = os.path.join("runs", os.path.basename(os.path.dirname(summary.report)), REPORT)
        found["report"] = os.path.relpath(os.path.join(run.pipeline_folder, own), place)
    if summary.evaluation is not None:
        task = task_of(summary.evaluation)
        objective = summary.evaluation.get("objective", task.OBJECTIVE)
        metrics = {m.name: m for m in task.judged(summary.evaluation["overall"])}
        found["better"] = metrics[objective].better if objective in metrics else None
    return found
