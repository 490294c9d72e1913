"""The metrics on the test split beside the baselines, and the curves behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.evaluate.curves import FILE_NAME as CURVES
from components.evaluate.report import Report
from pipeline.report.cards import missing
from pipeline.report.record import Record
from schemas.tasks import BY_NAME


def card(record: Record) -> dict[str, Any]:
    """Return the metrics of all models, and the curves of this one."""
    report = record.report
    if report is None:
        return missing.after(record, "evaluate", "Metrics")
    task = BY_NAME[report.task]
    shown = task.shown(report.objective, report.overall)
    models = list(_models(report))
    return {
        "task": report.task,
        "label": report.label,
        "objective": report.objective,
        "split": report.split,
        "rows": report.overall["examples"],
        "weight": report.weight,
        "coverage": report.coverage,
        "wanted_coverage": record.spec.get("export", {}).get("coverage"),
        "metrics": [
            {"name": m.name, "title": m.title, "better": m.better, "meaning": m.meaning}
            for m in sorted(shown, key=lambda metric: metric.name != report.objective)
        ],
        "models": models,
        "bounds": record.spec.get("evaluation", {}).get("thresholds", {}),
        "decision": _decision(record),
        "classes": _classes(record, report.overall),
        "confusion": report.overall.get("confusion"),
        "reliability": [[cell.model_dump() for cell in each] for each in report.reliability],
        "uncalibrated": None
        if report.uncalibrated is None
        else [[cell.model_dump() for cell in each] for each in report.uncalibrated.reliability],
        "curves": record.json("evaluate", "evaluation", CURVES),
    }


def _models(report: Report) -> Iterator[dict[str, Any]]:
    """Yield each model: its key, its title, its figures and their intervals."""
    constant, linear = BY_NAME[report.task].BASELINES
    titles: Mapping[str, str] = {linear.name: linear.title, constant.name: constant.title}
    figures = {"model": ("this model", report.overall)}
    figures |= {name: (title, report.baselines[name]) for name, title in titles.items()}
    if report.uncalibrated is not None:
        figures["uncalibrated"] = ("before calibration", report.uncalibrated.metrics)
    if report.last_blessed is not None and report.last_blessed.metrics is not None:
        figures["last_blessed"] = ("served before", report.last_blessed.metrics)
    for name, (title, metrics) in figures.items():
        found = report.intervals.get(name)
        plain = {key: value for key, value in metrics.items() if not isinstance(value, list)}
        yield {
            "name": name,
            "title": title,
            "metrics": plain,
            "intervals": {} if found is None else found.metrics,
            "gains": {} if found is None else found.gains,
        }


def _decision(record: Record) -> float | None:
    chosen = record.spec.get("export", {}).get("threshold")
    return None if chosen is None else float(chosen)


def _classes(record: Record, overall: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes in the order of their numbers."""
    layout = record.layout
    learned = {} if layout is None else layout.label_learned
    named = record.spec.get("export", {}).get("classes") or learned.get("classes")
    if named:
        return list(map(str, named))
    return [str(i) for i in range(len(overall.get("confusion") or (0, 1)))]
