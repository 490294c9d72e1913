"""The slices of the test split, worst first."""

from __future__ import annotations

from typing import Any

from components.evaluate.report import SliceMetrics
from pipeline.report.cards import missing
from pipeline.report.record import Record
from schemas.tasks import BY_NAME

_MOST = 400


def card(record: Record) -> dict[str, Any]:
    """Return the slices, the worst objective first, and last those of too few rows."""
    report = record.report
    if report is None:
        return missing.after(record, "evaluate", "Metrics of slices")
    if not report.slices:
        return {"missing": "pipeline.yaml names no columns in evaluation.slices."}
    task = BY_NAME[report.task]
    judged = task.judged(report.overall)
    objective = next(metric for metric in judged if metric.name == report.objective)
    shown = [m for m in judged if any(s.metrics.get(m.name) is not None for s in report.slices)]

    def loss(figures: Any) -> float:
        value = figures.get(objective.name)
        return float("-inf") if value is None else objective.loss(value)

    def rank(each: SliceMetrics) -> tuple[bool, float]:
        return int(each.metrics["examples"]) < report.min_slice_examples, -loss(each.metrics)

    ordered = sorted(report.slices, key=rank)
    return {
        "objective": objective.name,
        "better": objective.better,
        "least": report.min_slice_examples,
        "metrics": [{"name": m.name, "title": m.title, "better": m.better} for m in shown],
        "overall": {m.name: report.overall.get(m.name) for m in shown},
        "rows": report.overall["examples"],
        "left_out": max(0, len(ordered) - _MOST),
        "slices": [
            {
                "column": each.column,
                "value": each.value,
                "rows": each.metrics["examples"],
                "metrics": {m.name: each.metrics.get(m.name) for m in shown},
                "interval": each.interval,
            }
            for each in ordered[:_MOST]
        ],
    }
