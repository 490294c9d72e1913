"""What changed against the last run before this one whose model was pushed."""

from __future__ import annotations

from typing import Any

from pipeline import comparison, recorded_runs
from pipeline.comparison import Side
from pipeline.recorded_runs import RecordedRun
from pipeline.report.record import Record

_SLICES = 20  # of each verdict
_LINES = 200


def card(record: Record) -> dict[str, Any]:
    """Return how the run differs from the last pushed one."""
    before = last_pushed(record)
    if before is None or before.summary is None:
        return {"missing": "There is nothing to compare with: no earlier run pushed a model."}
    own, old = record.summary, before.summary
    return between(Side.of(before, old), Side.of(record.run, own))


def between(first: Side, second: Side) -> dict[str, Any]:
    """Return how the second run differs from the first one."""
    old, own = first.summary, second.summary
    found = comparison.compare(first, second)
    dumped = found.model_dump(mode="json")
    return {
        **dumped,
        "slices": None if found.slices is None else _extremes(dumped["slices"]),
        "schema_lines": dumped["schema_lines"] and dumped["schema_lines"][:_LINES],
        "code_lines": dumped["code_lines"] and dumped["code_lines"][:_LINES],
        "scores": comparison.scores_of_both(first, second),
        "version": old.version,
        "intervals": {
            "before": _intervals(first, "model"),
            "after": _intervals(second, "model"),
            "gains": _gains(first, second),
        },
        "rows": [_rows(old.counts), _rows(own.counts)],
    }


def last_pushed(record: Record) -> RecordedRun | None:
    """Return the newest run before this one whose model was pushed."""
    for run in recorded_runs.before(record.folders, record.summary.run_id):
        if run.status == "pushed":
            return run
    return None


def _extremes(slices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those that got worse most, and those that got better most."""
    worse = [each for each in slices if each["change"]["verdict"] == "worse"][:_SLICES]
    better = [each for each in slices if each["change"]["verdict"] == "better"][-_SLICES:]
    return [*worse, *better]


def _intervals(side: Side, model: str) -> dict[str, tuple[float, float]]:
    found = None if side.report is None else side.report.intervals.get(model)
    return {} if found is None else found.metrics


def _gains(before: Side, after: Side) -> dict[str, tuple[float, float]]:
    """Return paired intervals of the changes, if this run scored that run's model on its rows."""
    found = None if after.report is None else after.report.intervals.get("last_blessed")
    if found is None or before.report is None or after.report is None:
        return {}
    last = after.report.last_blessed
    same = last is not None and last.metrics == before.report.overall
    return found.gains if same else {}


def _rows(counts: dict[str, Any] | None) -> dict[str, int] | None:
    if counts is None:
        return None
    rows = {"read": counts["records_read"], "rejected": counts["records_rejected"]}
    return rows | counts.get("examples", {})
