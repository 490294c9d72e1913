"""The sums of one pass over the test split: of every model overall, and of this one by slice.

Scored batches are added to `Totals`, which can be merged like the tallies that they consist of.
`Totals` return `Figures`, the metrics of all models and slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from components.evaluate.bootstrap import MetricIntervals, intervals
from components.evaluate.curves import Numbers, numbers_of, rows_of
from components.evaluate.report import SliceMetrics
from components.evaluate.sample import ScoredSample
from components.evaluate.slices import Slicing
from components.tasks.curves import Curve, ScoreHistogram
from components.tasks.protocol import Metrics, Tally, optional, work_of
from components.tasks.reliability import Diagram
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions


class ScoredBatch(NamedTuple):
    """A batch of rows after the models have seen it.

    Attributes:
      label: [rows].
      scores: float32 [rows] or [rows, n], of the model, of the linear model and, if there is one,
        of the last blessed model; at last, of this model without its calibration, if it has one.
      slices: each row's slice by each slicing, int64 [rows].
      relabelled: rows that the last blessed model's graph labels otherwise.
      covered: 1 where the label is in the interval or the set; None without these; [rows].
      weights: how much each row counts, float64 [rows]; None if all count the same.
    """

    label: np.ndarray
    scores: tuple[np.ndarray, ...]
    slices: tuple[np.ndarray, ...]
    relabelled: int = 0
    covered: np.ndarray | None = None
    weights: np.ndarray | None = None


class Figures(Strict):
    """What the pass measured.

    Attributes:
      models: metrics on all rows, of the models in the order of `ScoredBatch.scores`; None where
        no row had a valid score.
      invalid: for each of these, rows without a valid score and label.
      slices: metrics of the first model on each slice that has rows, by slicing, then by falling
        count.
      relabelled: rows that the last blessed model's graph labels otherwise.
      coverage: share of the rows whose label is in the interval or the set; None without these.
      reliability: the reliability diagrams of each model, one a class; none without classes.
      intervals: those of each model's metrics.
      curves: the curves of each model, one a class; none without classes.
      histograms: of the first model's scores, one a class; none without classes.
      numbers: what is drawn of the first model's predictions; None of classes.
      rows: some rows with the first model's scores.
    """

    models: tuple[Metrics | None, ...]
    invalid: tuple[int, ...]
    slices: tuple[SliceMetrics, ...]
    relabelled: int
    reliability: tuple[tuple[Diagram, ...], ...] = ()
    coverage: float | None = None
    intervals: tuple[MetricIntervals, ...] = ()
    curves: tuple[tuple[Curve, ...], ...] = ()
    histograms: tuple[ScoreHistogram, ...] = ()
    numbers: Numbers | None = None
    rows: tuple[tuple[float, float, float], ...] = ()


@dataclass
class Totals:
    """Sums over scored batches.

    Attributes:
      task: what is predicted.
      models: one tally a model, of one group.
      slicings: one tally a slicing, of the first model, with a group a slice.
      relabelled: see `Figures`.
      covered: the weight of rows whose label is in the interval or the set, and that of all rows.
      sample: some of the rows; None without any.
    """

    task: TaskOptions
    models: tuple[Tally, ...]
    slicings: tuple[Tally, ...]
    relabelled: int = 0
    covered: tuple[float, float] = (0.0, 0.0)
    sample: ScoredSample | None = None

    @classmethod
    def zeros(cls, task: TaskOptions, models: int, slicings: Sequence[Slicing]) -> Totals:
        """Return the totals of no rows."""
        work = work_of(task.task)
        return cls(
            task=task,
            models=tuple(work.tally(task, 1) for _ in range(models)),
            slicings=tuple(work.tally(task, len(s.names), coarse=True) for s in slicings),
        )

    def add(self, batch: ScoredBatch) -> None:
        """Add a batch in place."""
        grade = work_of(self.task.task).grade
        graded = [grade(scores, batch.label, self.task) for scores in batch.scores]
        for tally, rows in zip(self.models, graded, strict=True):
            tally.add(rows, weights=batch.weights)
        for tally, codes in zip(self.slicings, batch.slices, strict=True):
            tally.add(graded[0], codes, batch.weights)
        self.relabelled += batch.relabelled
        self.sample = ScoredSample.of(batch).merged(self.sample)
        if batch.covered is not None:
            weights = np.ones(len(batch.covered)) if batch.weights is None else batch.weights
            inside, all_ = self.covered
            self.covered = inside + float(batch.covered @ weights), all_ + float(weights.sum())

    def merge(self, other: Totals) -> None:
        """Add other totals of the same models and slicings in place."""
        for mine, its in zip(
            (*self.models, *self.slicings), (*other.models, *other.slicings), strict=True
        ):
            mine.merge(its)
        self.relabelled += other.relabelled
        self.covered = (self.covered[0] + other.covered[0], self.covered[1] + other.covered[1])
        if other.sample is not None:
            self.sample = other.sample.merged(self.sample)

    def figures(self, slicings: Sequence[Slicing]) -> Figures:
        """Return the metrics; `slicings` are those that `zeros` was given."""
        metrics = work_of(self.task.task).metrics
        models = tuple(metrics(tally) for tally in self.models)
        reliability = self._drawn("diagrams")
        return Figures(
            models=models,
            invalid=tuple(t.invalid for t in self.models),
            slices=tuple(
                found
                for slicing, tally in zip(slicings, self.slicings, strict=True)
                for found in self._slices(slicing, tally)
            ),
            relabelled=self.relabelled,
            reliability=reliability,
            coverage=self.covered[0] / self.covered[1] if self.covered[1] else None,
            intervals=intervals(self.task, self.sample, models),
            curves=self._drawn("curves"),
            histograms=self._drawn("histograms")[0],
            numbers=None if reliability[0] or self.sample is None else numbers_of(self.sample),
            rows=() if self.sample is None else rows_of(self.sample),
        )

    def _drawn(self, function: str) -> tuple[tuple[Any, ...], ...]:
        """Return what a function of the task gives of each model; nothing without the function."""
        of = optional(self.task.task, function)
        return tuple(() if of is None else tuple(of(tally)) for tally in self.models)

    def _slices(self, slicing: Slicing, tally: Tally) -> list[SliceMetrics]:
        """Return the slices with rows that count, by falling count, all others together last."""
        found, interval = [], optional(self.task.task, "interval")
        for code, (name, kind) in enumerate(slicing.names):
            metrics = work_of(self.task.task).metrics(tally, code)
            if metrics is not None:
                found.append(
                    SliceMetrics(
                        column=slicing.column.name,
                        value=name,
                        kind=kind,
                        metrics=metrics,
                        interval=None
                        if interval is None
                        else interval(tally, self.task.objective, code),
                    )
                )
        return sorted(found, key=lambda s: (s.kind == "other", -s.metrics["examples"]))
