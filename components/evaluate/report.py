"""metrics.json: the results of evaluation, as frozen types that the file can be read back into.

The file is this module's `Report` as JSON, with the same keys. `format` increases when a key
changes its meaning or is removed; it stays the same when a key is added.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from components import files
from components.evaluate.bootstrap import MetricIntervals
from components.evaluate.judge import Reason
from components.evaluate.slices import SliceKind
from components.tasks.intervals import Interval
from components.tasks.protocol import Metrics
from components.tasks.reliability import Diagram
from schemas.strict import Strict
from schemas.tasks.options import Metric

FILE_NAME = "metrics.json"
WORST_SLICES = 5


class SliceMetrics(Strict):
    """The model's metrics on the rows that share a column's value.

    Attributes:
      column: the raw column.
      value: its value as text, "(missing)", or "(other)" for all values without their own slice.
      kind: which of the three it is, because a column may contain such a text.
      metrics: on these rows.
      interval: the 95 % interval of the objective; None where there is no formula for it.
    """

    column: str
    value: str
    kind: SliceKind
    metrics: Metrics
    interval: Interval | None = None


class LastBlessed(Strict):
    """The model that was served when this one was judged.

    Attributes:
      path: its SavedModel.
      metrics: on the same rows, against the same labels; None where it was not compared.
      note: why it was not compared; None where it was.
    """

    path: str
    metrics: Metrics | None = None
    note: str | None = None


class Uncalibrated(Strict):
    """The model as it was before its calibration.

    Attributes:
      metrics: on all rows.
      reliability: as in `Report`.
    """

    metrics: Metrics
    reliability: tuple[Diagram, ...]


class Report(Strict):
    """The whole of metrics.json.

    Attributes:
      format: the layout of the file.
      task: the kind of task.
      objective: the metric by which models are compared.
      label: the label's name.
      split: the split all metrics are on.
      blessed: whether there is no reason against the model.
      reasons: all reasons against it.
      overall: the model on all rows.
      baselines: by name, the models that this one has to beat, on all rows. The first one is the
        best constant for these same rows, which is harder to beat than that of the training split.
        The second one is the linear model trained on the same transformed features.
      last_blessed: the model served so far; None if there was none.
      slices: by column in the order of pipeline.yaml, then by falling count.
      worst_slices: those where the objective is worse than in `overall`, worst first, at
        most 5, of at least `min_slice_examples` rows.
      min_slice_examples: metrics of fewer rows than this are not reliable.
      reliability: a reliability diagram for each class, of two classes for the second one alone;
        none without classes.
      uncalibrated: the model without its calibration; None if it has none.
      coverage: share of the rows whose label is in the interval or the set of classes of its
        answer; None without these.
      weight: the column by which rows count in all metrics; None if all count the same.
      intervals: of the metrics, by the bootstrap, by model: "model", the name of the linear
        baseline, "last_blessed" and "uncalibrated". `gains` are those of the difference to "model".
    """

    format: Literal[1] = 1
    task: str = "binary"
    objective: str = "log_loss"
    label: str
    split: str
    blessed: bool
    reasons: tuple[Reason, ...]
    overall: Metrics
    baselines: dict[str, Metrics]
    last_blessed: LastBlessed | None
    slices: tuple[SliceMetrics, ...]
    worst_slices: tuple[SliceMetrics, ...]
    min_slice_examples: int
    reliability: tuple[Diagram, ...] = ()
    uncalibrated: Uncalibrated | None = None
    coverage: float | None = None
    weight: str | None = None
    intervals: dict[str, MetricIntervals] = Field(default_factory=dict)

    def write(self, folder: str) -> None:
        """Write metrics.json; the file appears only when it is complete."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=2) + "\n")

    @classmethod
    def read(cls, folder: str) -> Report:
        """Read what `write` wrote."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))


def worst(
    slices: Iterable[SliceMetrics], overall: Metrics, *, objective: Metric, min_examples: int
) -> tuple[SliceMetrics, ...]:
    """Return the slices whose objective is worst compared with the overall one, worst first.

    A slice without an objective, such as the AUC of rows of one class, is left out.
    """
    if overall[objective.name] is None:
        return ()
    limit = objective.loss(overall[objective.name])
    measured = [
        (objective.loss(s.metrics[objective.name]), s)
        for s in slices
        if s.metrics["examples"] >= min_examples and s.metrics[objective.name] is not None
    ]
    ranked = sorted((each for each in measured if each[0] > limit), key=lambda each: -each[0])
    return tuple(s for _, s in ranked[:WORST_SLICES])
