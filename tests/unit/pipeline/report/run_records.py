"""Records of runs as reports read them, with their artifacts in a folder."""

from __future__ import annotations

from typing import Any

from components.evaluate.report import Report
from pipeline.folders import Folders
from pipeline.lineage import Artifact, Execution
from pipeline.report.record import Record
from pipeline.summary import StageSummary, Summary

RUN = "20261201-100002-000000"
EARLIER = "20261201-100001-000000"

STAGES = ("import_schema", "ingest", "statistics", "train", "evaluate", "push")
AFTER = {
    "statistics": ("import_schema", "ingest"),
    "train": ("ingest",),
    "evaluate": ("ingest", "train"),
    "push": ("evaluate", "train"),
}
FIGURES = {"examples": 200, "log_loss": 0.5, "auc": 0.75, "accuracy": 0.7}
COUNTS = {
    "records_read": 1000,
    "examples": {"train": 700, "eval": 100, "test": 190},
    "records_rejected": 10,
    "rejected_by_reason": {"not_a_number": 10},
    "splits": {"train": {"rows": 700, "label": {"positive": 0.25}}},
}
TRAINING = {
    "best_epoch": 2,
    "loss": [0.6, 0.5],
    "eval_loss": [0.61, 0.55],
    "seconds": 3.0,
    "examples_per_second": 1000.0,
    "train_examples": 700,
    "eval_examples": 100,
    "folds": [],
}


def slice_of(value: str, rows: int, log_loss: float | None) -> dict[str, Any]:
    """Return a slice as metrics.json has it."""
    metrics = {"examples": rows, "log_loss": log_loss, "auc": None, "accuracy": 0.5}
    return {"column": "city", "value": value, "kind": "value", "metrics": metrics}


def evaluation(**changes: Any) -> dict[str, Any]:
    """Return the content of metrics.json."""
    constant, linear = FIGURES | {"log_loss": 0.69}, FIGURES | {"log_loss": 0.52}
    whole: dict[str, Any] = {
        "task": "binary",
        "objective": "log_loss",
        "label": "y",
        "split": "test",
        "blessed": True,
        "reasons": [],
        "overall": FIGURES,
        "baselines": {"base_rate": constant, "logistic": linear},
        "last_blessed": None,
        "slices": [slice_of("A", 100, 0.4), slice_of("B", 60, 0.7), slice_of("C", 2, None)],
        "worst_slices": [],
        "min_slice_examples": 30,
    }
    return whole | changes


def summary(run_id: str = RUN, **changes: Any) -> Summary:
    """Return the summary of a run that pushed version 2."""
    stages = tuple(
        StageSummary(
            name=name,
            state="done",
            seconds=1.0,
            rows=100,
            rows_per_second=100.0,
            notes={},
            started=float(i),
        )
        for i, name in enumerate(STAGES)
    )
    whole: dict[str, Any] = {
        "pipeline": "trips",
        "run_id": run_id,
        "status": "pushed",
        "seconds": 6.5,
        "stages": stages,
        "counts": COUNTS,
        "training": TRAINING,
        "evaluation": {k: v for k, v in evaluation().items() if k != "slices"},
        "version": 2,
        "serve": "skewless serve runs/trips",
        "log": "run.log",
        "command": "skewless run trips",
    }
    return Summary.model_validate(whole | changes)


def record(place: Any, given: Summary | None = None, state: str = "COMPLETE") -> Record:
    """Return the record of a run in the pipeline's folder `place`, with its metrics.json."""
    given = given or summary()
    executions = {}
    for node in (stage.name for stage in given.stages):
        uri = place / "artifacts" / node
        uri.mkdir(parents=True, exist_ok=True)
        channels = {"evaluate": "evaluation", "train": "model", "statistics": "statistics"}
        channel = channels.get(node, "examples")
        artifact = {channel: Artifact(str(uri), {})}
        executions[node] = Execution(node, state, artifact, AFTER.get(node, ()))
    Report.model_validate(evaluation()).write(str(place / "artifacts/evaluate"))
    return Record(Folders.at(str(place)), given, executions, None)
