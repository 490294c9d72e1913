"""Describes the model that a run pushes, for `model.json`, from the run's artifacts.

The sources are the folders of the artifacts, pipeline.yaml and the schema. Nothing is measured
here: every figure is one that an earlier stage wrote.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

import numpy as np

from components import files
from components.evaluate.published import content_digest
from components.evaluate.report import Report
from components.examples import count_rows, iter_batches
from components.export import signatures as names
from components.export.export import read_layout
from components.export.terms import read_terms
from components.parity.proof import Proof
from components.push.outputs import signatures_of
from components.raw_values import requested_batch
from components.tasks.learned import CALIBRATION_FILE, CORRECTION, TRAINING_FILE, read_learned
from components.tasks.protocol import Metrics
from components.tasks.reliability import Diagram
from components.transform.preprocessing import Preprocessing
from components.transform.treatments.protocol import Use
from schemas.columns import Column
from schemas.derived import DerivedColumn
from schemas.description import Description, Example, Input, ParityPath, Slice, Treated
from schemas.expectations import Expectation
from schemas.missing import Missing
from schemas.splits.options import SPLITS
from schemas.tasks.options import ExportOptions, TaskOptions
from schemas.treatments.options import options_in_words
from schemas.types import FLOAT

# Nobody chooses from a longer list.
MOST_KNOWN = 1_000
_LIBRARIES = ("tensorflow", "keras", "tensorflow-transform", "tfx", "apache-beam", "pyarrow")


@dataclass(frozen=True)
class Artifacts:
    """Folders of what a run made."""

    examples: str
    transform_graph: str
    trained: str
    evaluation: str
    proof: str


def describe(
    artifacts: Artifacts,
    *,
    name: str,
    preprocessing: Preprocessing,
    answers: ExportOptions,
    columns: tuple[Column, ...],
    expectations: Iterable[Expectation],
    digests: Mapping[str, str],
    pushed_at: str,
) -> Description:
    """Describe the model that is about to be pushed.

    Args:
      artifacts: the folders of the artifacts.
      name: of the model.
      preprocessing: what the columns become, and the label.
      answers: what the signatures answer with.
      columns: the raw columns of schema.pbtxt.
      expectations: what schema.pbtxt wants of their values.
      digests: of code, schema, pipeline and SavedModel; the data are digested here.
      pushed_at: now, in UTC, as ISO 8601.
    """
    layout = read_layout(artifacts.transform_graph)
    serving = names.serving_columns(columns, layout)
    preprocessing = preprocessing.without(layout.dropped)
    report, proof = Report.read(artifacts.evaluation), Proof.read(artifacts.proof)
    label, learned = preprocessing.label, read_learned(artifacts.trained)
    return Description(
        name=name,
        pushed_at=pushed_at,
        task=label.task,
        objective=label.objective,
        label=label.in_words() + label.weighed,
        classes=answers.class_names(learned),
        threshold=answers.decision,
        threshold_chosen=answers.decision_chosen,
        inputs=_inputs(
            serving,
            {e.name: e for e in expectations},
            read_terms(artifacts.transform_graph, layout),
            example_row(artifacts.examples, serving),
        ),
        features=(
            *map(_derived, preprocessing.derived),
            *starmap(_filled, preprocessing.missing.items()),
            *map(_treated, preprocessing.uses),
        ),
        dropped=layout.dropped,
        signatures=signatures_of(layout, answers, learned),
        metrics=_metrics(report),
        min_slice_examples=report.min_slice_examples,
        baseline=_figures(report.baselines[label.BASELINES[1].name]),
        training_examples=_training_examples(artifacts.trained),
        correction=_correction(label, learned),
        calibration=_calibration(artifacts.trained),
        uncalibrated={} if report.uncalibrated is None else _figures(report.uncalibrated.metrics),
        reliability=_reliability(report, answers.class_names(learned)),
        rows={split: count_rows(artifacts.examples, split) for split in SPLITS},
        digests={**digests, "data": content_digest(artifacts.examples)},
        parity=tuple(
            ParityPath(name=p.name, rows=p.rows, values=p.values, differing=p.differing)
            for p in proof.serving_paths
        ),
        real_rows=proof.real_rows,
        adversarial_rows=proof.adversarial_rows,
        versions=_versions(),
    )


def example_row(examples: str, columns: tuple[Column, ...]) -> dict[str, Example]:
    """Return a real row of the test split, as a request carries it.

    It is the first one that lacks least, of the first batch.
    """
    for batch in iter_batches(examples, "test", [c.name for c in columns]):
        if batch.num_rows:
            missing = sum(np.asarray(batch.column(i).is_null()) for i in range(len(columns)))
            chosen = batch.slice(int(np.argmin(missing)), 1)
            row = requested_batch(chosen, columns).to_pylist()[0]
            return {c.name: _readable(row[c.name], c) for c in columns}
    return {}


def _readable(value: Any, column: Column) -> Example:
    """A float32 in as few digits as no other has; None for what JSON cannot hold."""
    if column.is_list and value is not None:
        return tuple(value)
    if column.type is not FLOAT or value is None:
        return value
    short = float(str(np.float32(value)))
    return short if math.isfinite(short) else None


def _inputs(
    columns: tuple[Column, ...],
    expectations: Mapping[str, Expectation],
    terms: Mapping[str, tuple[str, ...]],
    example: Mapping[str, Example],
) -> tuple[Input, ...]:
    found = []
    for column in columns:
        expectation = expectations.get(column.name, Expectation(name=column.name))
        known = terms.get(column.name)
        found.append(
            Input(
                **expectation.model_dump(),
                kind=column.kind,
                form=column.form,
                most=column.most,
                known=known if known is None or len(known) <= MOST_KNOWN else None,
                example=example.get(column.name),
            )
        )
    return tuple(found)


def _treated(use: Use) -> Treated:
    options = use.options.model_dump(mode="json", exclude={"kind", "columns"}, exclude_none=True)
    return Treated(columns=use.columns, treatment=f"{use.kind} ({options_in_words(options)})")


def _filled(column: str, filling: Missing) -> Treated:
    columns = (column,) if filling.by is None else (column, filling.by)
    return Treated(columns=columns, treatment=f"missing values filled, {filling.in_words}")


def _derived(column: DerivedColumn) -> Treated:
    return Treated(columns=column.inputs, treatment=f"derived, {column.name}: {column.text}")


def _metrics(report: Report) -> tuple[Slice, ...]:
    def measured(name: str, metrics: Metrics) -> Slice:
        return Slice(name=name, rows=metrics["examples"], metrics=_figures(metrics))

    slices = [measured(f"{s.column} = {s.value}", s.metrics) for s in report.slices]
    return (measured("", report.overall), *slices)


def _figures(metrics: Metrics) -> dict[str, float | None]:
    """Return the single figures: a confusion matrix stays in metrics.json."""
    return {
        name: value
        for name, value in metrics.items()
        if name != "examples" and not isinstance(value, list)
    }


def _training_examples(trained: str) -> int:
    training = json.loads(files.read_bytes(os.path.join(trained, TRAINING_FILE)))
    return int(training["train_examples"])


def _correction(label: TaskOptions, learned: Mapping[str, Any]) -> dict[str, float]:
    if CORRECTION not in learned:
        return {}
    return dict(zip(label.class_names(learned), learned[CORRECTION], strict=True))


def _calibration(trained: str) -> str:
    """Return the method of the calibration; "" if there is none."""
    path = os.path.join(trained, CALIBRATION_FILE)
    method = json.loads(files.read_bytes(path))["method"] if files.is_file(path) else "none"
    return "" if method == "none" else str(method)


def _reliability(report: Report, classes: Sequence[str]) -> dict[str, Diagram]:
    names_of = classes[-len(report.reliability) :]  # of two classes, the second one alone
    return dict(zip(names_of, report.reliability, strict=False))


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), **found}
