"""All that one pass over the test split adds up: every model overall, this one by slice too.

Goes in: scored batches. Comes out: `Totals`, mergeable like the tallies they are made of, and from
them `Figures`, the metrics of all models and slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from components.evaluate.metrics import Metrics, metrics_of
from components.evaluate.report import SliceMetrics
from components.evaluate.slices import Slicing
from components.evaluate.tally import BINS, SLICE_BINS, Tally, grade
from schemas.spec import Strict


class ScoredBatch(NamedTuple):
    """A batch of rows after the models have seen it.

    Attributes:
      label: 0 or 1, int64 [rows].
      scores: probabilities of label 1, float32 [rows], of the model, of the logistic model and, if
        there is one, of the last blessed model.
      slices: each row's slice by each slicing, int64 [rows].
      relabelled: rows that the last blessed model's graph labels otherwise.
    """

    label: np.ndarray
    scores: tuple[np.ndarray, ...]
    slices: tuple[np.ndarray, ...]
    relabelled: int = 0


class Figures(Strict):
    """What the pass measured.

    Attributes:
      models: metrics on all rows, of the models in the order of `ScoredBatch.scores`; None where
        no row had a valid score.
      invalid: for each of these, rows without a valid score and label.
      slices: metrics of the first model on each slice that has rows, by slicing, then by falling
        count.
      relabelled: rows that the last blessed model's graph labels otherwise.
    """

    models: tuple[Metrics | None, ...]
    invalid: tuple[int, ...]
    slices: tuple[SliceMetrics, ...]
    relabelled: int


@dataclass
class Totals:
    """Sums over scored batches.

    Attributes:
      models: one tally a model, of one group.
      slicings: one tally a slicing, of the first model, with a group a slice.
      relabelled: see `Figures`.
    """

    models: tuple[Tally, ...]
    slicings: tuple[Tally, ...]
    relabelled: int = 0

    @classmethod
    def zeros(cls, models: int, slicings: Sequence[Slicing]) -> Totals:
        """Return the totals of no rows."""
        return cls(
            models=tuple(Tally.zeros(1, BINS) for _ in range(models)),
            slicings=tuple(Tally.zeros(len(s.names), SLICE_BINS) for s in slicings),
        )

    def add(self, batch: ScoredBatch) -> None:
        """Add a batch in place."""
        graded = [grade(scores, batch.label) for scores in batch.scores]
        for tally, rows in zip(self.models, graded, strict=True):
            tally.add(rows)
        for tally, codes in zip(self.slicings, batch.slices, strict=True):
            tally.add(graded[0], codes)
        self.relabelled += batch.relabelled

    def merge(self, other: Totals) -> None:
        """Add other totals of the same models and slicings in place."""
        for mine, its in zip(
            (*self.models, *self.slicings), (*other.models, *other.slicings), strict=True
        ):
            mine.merge(its)
        self.relabelled += other.relabelled

    def figures(self, slicings: Sequence[Slicing]) -> Figures:
        """Return the metrics; `slicings` are those that `zeros` was given."""
        return Figures(
            models=tuple(metrics_of(t) if t.counts.any() else None for t in self.models),
            invalid=tuple(t.invalid for t in self.models),
            slices=tuple(
                found
                for slicing, tally in zip(slicings, self.slicings, strict=True)
                for found in _slices(slicing, tally)
            ),
            relabelled=self.relabelled,
        )


def _slices(slicing: Slicing, tally: Tally) -> list[SliceMetrics]:
    """Return the slices that have rows, by falling count, all others together last."""
    found = [
        SliceMetrics(
            column=slicing.column.name, value=name, kind=kind, metrics=metrics_of(tally, code)
        )
        for code, (name, kind) in enumerate(slicing.names)
        if tally.counts[code].any()
    ]
    return sorted(found, key=lambda s: (s.kind == "other", -s.metrics.examples))
