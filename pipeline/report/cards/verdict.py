"""The verdict: how the run ended, why, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from pipeline.report.record import Record
from pipeline.summary import Summary, task_of

_HEADLINES = {
    "pushed": "Version {version} is pushed",
    "unchanged": "Version {version} is this model already",
    "refused": "The model is not pushed",
    "failed": "The run failed",
    "interrupted": "The run was interrupted",
    "partial": "The run ended as chosen",
}
_TONES = {"pushed": "good", "unchanged": "good", "partial": "wait", "interrupted": "wait"}


def card(record: Record) -> dict[str, Any]:
    """Return the verdict of a run."""
    summary = record.summary
    stage = summary.error.stage if summary.error is not None else None
    headline = _HEADLINES[summary.status].format(version=summary.version)
    at = f" in {stage}" if stage and summary.status in ("failed", "interrupted") else ""
    return {
        "status": summary.status,
        "tone": _TONES.get(summary.status, "bad"),
        "headline": headline + at,
        "sentences": list(_sentences(summary)),
        "reasons": _reasons(summary),
        "error": None if summary.error is None else _error(summary),
        "next": _next(record),
        "facts": list(_facts(summary)),
    }


def _sentences(summary: Summary) -> Iterator[str]:
    evaluation, parity = summary.evaluation, summary.parity
    if evaluation is not None and evaluation["blessed"]:
        yield "The model is inside all thresholds of pipeline.yaml: it is blessed."
    if parity is not None and parity["proven"]:
        rows = parity["real_rows"] + parity["adversarial_rows"]
        paths = len(parity["serving_paths"])
        yield f"{paths} serving paths give what training computed, on {rows:,} rows."
    if summary.status == "partial":
        last = next((s.name for s in reversed(summary.stages) if s.state != "waiting"), None)
        yield f"It ended after the stage {last}, so nothing is published."
    if summary.anomalies_allowed and summary.findings:
        yield "The data have anomalies, which --allow-anomalies let through."


def _reasons(summary: Summary) -> list[str]:
    evaluation = summary.evaluation
    if evaluation is None or evaluation["blessed"]:
        return []
    return [str(reason["text"]) for reason in evaluation["reasons"]]


def _error(summary: Summary) -> dict[str, Any] | None:
    """Return the parts of the error, unless the reasons say the same."""
    assert summary.error is not None
    error = summary.error.model_dump()
    if _reasons(summary):
        error["what"] = None
    return error


def _next(record: Record) -> list[dict[str, str]]:
    """Return the next steps: what each is for, and its command."""
    summary, place = record.summary, shlex.quote(record.folders.place)
    again = summary.command or f"skewless run {shlex.quote(summary.pipeline)}"
    if summary.status in ("pushed", "unchanged"):
        served = [{"text": "Serve the model:", "command": summary.serve}] if summary.serve else []
        scored = {"text": "Or score a table:", "command": f"skewless predict {place} rows.csv"}
        return [*served, scored]
    stage = summary.error.stage if summary.error is not None else None
    if summary.counts and summary.counts["records_rejected"] and stage in ("ingest", "gate"):
        look = {"text": "See the rejected records:", "command": f"skewless rejects {place}"}
    elif summary.data_page is not None and stage in ("validate", "gate"):
        look = {"text": "Look at the data:", "command": f"skewless data {place} --open"}
    elif summary.status == "refused":
        target = shlex.quote(summary.pipeline)
        look = {"text": "Search for better options:", "command": f"skewless tune {target}"}
    else:
        look = None
    done = {"partial": "Go on to the end:", "interrupted": "Go on from there:"}
    run = {"text": done.get(summary.status, "After a change, run again:"), "command": again}
    return [*([look] if look else []), run]


def _facts(summary: Summary) -> Iterator[tuple[str, Any, str]]:
    """Yield a title, a value and how it is written."""
    if summary.evaluation is not None:
        task, overall = task_of(summary.evaluation), summary.evaluation["overall"]
        objective = summary.evaluation.get("objective", task.OBJECTIVE)
        shown = [m for m in task.shown(objective, overall) if m.better is not None]
        for metric in sorted(shown, key=lambda m: m.name != objective)[:3]:
            yield metric.title, overall.get(metric.name), "number"
    if summary.counts is not None:
        yield "rows read", summary.counts["records_read"], "count"
    yield "duration", summary.seconds, "seconds"
