"""Permutation importance: by how much a metric gets worse if a column's values are shuffled.

The values of a column are exchanged between the rows of a sample (Breiman 2001, Machine Learning
45; Fisher, Rudin and Dominici 2019, JMLR 20, arXiv:1801.01489). Each row keeps its other values and
its label, so the difference of the losses is paired by rows.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from components.explain.explained import ColumnImportance, Cost, Importance
from components.explain.groups import ColumnGroup
from components.explain.rows import RawColumns, SplitRows
from components.tasks.protocol import RowLosses, work_of
from schemas.errors import ModelError
from schemas.tasks.options import TaskOptions

if TYPE_CHECKING:
    from components.explain.scorer import RowScorer

EVAL = "eval"
_NORMAL_95 = 1.959964  # half of a 95 % interval, in standard errors


class PairedDifference(NamedTuple):
    """A difference of a metric over the same rows.

    Attributes:
      mean: the metric after, less the metric before.
      error: its standard error over the rows.
    """

    mean: float
    error: float

    @property
    def cost(self) -> Cost:
        """The difference with its 95 % interval."""
        half = _NORMAL_95 * self.error
        return Cost(drop=self.mean, low=self.mean - half, high=self.mean + half)


class CostMeter:
    """Measures the cost of changed columns on the rows of a split.

    Attributes:
      rows: the rows.
      value: the metric as it is.
      metric: its name.
    """

    def __init__(self, scorer: RowScorer, rows: SplitRows, label: TaskOptions) -> None:
        self._scorer = scorer
        self._label = label
        self.rows = rows
        self._before = self._losses(rows.scores)
        self._counts = np.isfinite(self._before.terms) & (rows.weights > 0)
        self.metric = self._before.metric
        mean = _mean(self._before.terms[self._counts], rows.weights[self._counts])
        self.value = math.sqrt(mean) if self._before.root else mean

    def permuted(self, groups: Sequence[tuple[str, ...]], repeats: int) -> list[PairedDifference]:
        """Return the difference that permuting each group of columns makes."""
        changes = [
            permuted(self.rows.raw, columns, number)
            for columns in groups
            for number in range(repeats)
        ]
        scored = self._scorer.changed(self.rows.raw, changes)
        return [self._difference([next(scored) for _ in range(repeats)]) for _ in groups]

    def moved(self, groups: Sequence[tuple[str, ...]], rows: int) -> np.ndarray:
        """Return how far permuting each group moves the scores of the first rows on average."""
        few = self.rows.first(rows)
        changes = [permuted(few.raw, columns, 0) for columns in groups]
        scored = self._scorer.changed(few.raw, changes)
        return np.array([np.abs(scores - few.scores).mean() for scores in scored])

    def _losses(self, scores: np.ndarray) -> RowLosses:
        return work_of(self._label.task).losses(scores, self.rows.labels, self._label)

    def _difference(self, scores: Sequence[np.ndarray]) -> PairedDifference:
        """Return the difference of the means, or of their roots by the delta method."""
        before, weights = self._before.terms[self._counts], self.rows.weights[self._counts]
        rows = np.mean([self._losses(each).terms[self._counts] - before for each in scores], axis=0)
        if not np.isfinite(rows).all():
            raise ModelError(
                "the model gives no valid score for a row with another row's value of a column",
                expected=work_of(self._label.task).VALID,
                remedy="clip a feature, or leave the stage out: explain: off in pipeline.yaml",
            )
        if not self._before.root:
            return PairedDifference(_mean(rows, weights), _error(rows, weights))
        after = before + rows
        roots = [math.sqrt(_mean(terms, weights)) for terms in (after, before)]
        slopes = [1 / (2 * root) if root else 0.0 for root in roots]
        error = _error(after * slopes[0] - before * slopes[1], weights)
        return PairedDifference(roots[0] - roots[1], error)


def permuted(raw: RawColumns, columns: Sequence[str], number: int) -> dict[str, np.ndarray]:
    """Return columns with their values in another order, the same for all of them.

    The order depends on the columns' names and the number of the repetition alone.
    """
    seed = zlib.crc32("\0".join(columns).encode())
    order = np.random.default_rng([seed, number]).permutation(len(raw[columns[0]]))
    return {name: raw[name][order] for name in columns}


def importance(
    splits: Mapping[str, CostMeter],
    groups: Sequence[ColumnGroup],
    *,
    repeats: int,
    unmeasured: Sequence[ColumnGroup] = (),
    done: Callable[[int], object] = bool,
) -> Importance:
    """Measure the importance of each group of columns on each split.

    Args:
      splits: the eval split, and others to compare it with.
      groups: what is permuted together.
      repeats: how many times.
      unmeasured: further groups, which are only named.
      done: called with how many rows were scored.
    """
    names = [group.columns for group in groups]
    costs = {}
    for split, meter in splits.items():
        costs[split] = [each.cost for each in meter.permuted(names, repeats)]
        done(len(meter.rows) * len(groups) * repeats)
    columns = [
        ColumnImportance(
            columns=group.columns,
            features=group.features,
            splits={split: found[number] for split, found in costs.items()},
            **costs[EVAL][number].model_dump(),
        )
        for number, group in enumerate(groups)
    ]
    meter = splits[EVAL]
    return Importance(
        metric=meter.metric,
        split=EVAL,
        rows=len(meter.rows),
        repeats=repeats,
        value={split: each.value for split, each in splits.items()},
        columns=tuple(sorted(columns, key=lambda each: (-each.drop, each.columns))),
        unmeasured=tuple(group.columns for group in unmeasured),
    )


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(values @ weights / weights.sum())


def _error(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the standard error of a weighted mean over independent rows."""
    rows = len(values)
    if rows < 2:
        return 0.0
    off = weights * (values - _mean(values, weights))
    return float(math.sqrt(off @ off * rows / (rows - 1)) / weights.sum())
