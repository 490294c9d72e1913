"""The ends of the intervals of `piecewise_linear`, in float64.

They are quantiles of the training split; all values of a column that has few; and where one value
is in more than half of the rows, that value and quantiles of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.transform.distributions import CombineDistributions, Distribution, Learn, merged

_RANKS = 1_024  # quantiles that edges are chosen from


class SketchedValues(NamedTuple):
    """What was seen of some columns: their distributions, and the values of those that have few."""

    seen: Distribution
    few: list[np.ndarray | None]


def edges(x: tf.Tensor, bins: int) -> tf.Tensor:
    """Return the ends of the intervals, float64 [columns, bins + 1], ascending.

    The last one is repeated where a column has fewer intervals. A column without values has NaN.

    Args:
      x: float64 [rows, columns]; NaN and infinite values are left out.
      bins: the largest number of intervals.
    """
    columns = x.shape[1]
    (found,) = tft.experimental.ptransform_analyzer(
        inputs=[x],
        ptransform=Learn(columns, Combine(bins)),
        output_dtypes=[tf.float64],
        output_shapes=[[columns, bins + 1]],
        name="edges",
    )
    return found


class Combine(beam.CombineFn):
    """Values [rows, columns] to the columns' edges.

    Args:
      bins: as for `edges`.
    """

    def __init__(self, bins: int) -> None:
        self._bins = bins
        self._distributions = CombineDistributions(_RANKS)

    def create_accumulator(self) -> SketchedValues | None:
        """Return None: the first batch says how many columns there are."""
        return None

    def add_input(self, accumulator: SketchedValues | None, values: np.ndarray) -> SketchedValues:
        """Add a batch's values."""
        seen, few = accumulator or (None, [np.zeros(0)] * values.shape[1])
        seen = self._distributions.add_input(seen, values)
        return SketchedValues(seen, [self._joined(own, values[:, i]) for i, own in enumerate(few)])

    def _joined(self, own: np.ndarray | None, values: np.ndarray) -> np.ndarray | None:
        """Return the distinct values of both; None if they are many."""
        if own is None:
            return None
        # A look at the first values spares most columns the sort of a whole batch.
        for part in (values[: 8 * self._bins], values):
            known = part[np.isfinite(part)]
            own = np.union1d(own, known)
            if len(own) > self._bins + 1:
                return None
        return own

    def compact(self, accumulator: SketchedValues | None) -> SketchedValues | None:
        """Reduce the sketch to what merging needs."""
        if accumulator is not None:
            self._distributions.compact(accumulator.seen)
        return accumulator

    def merge_accumulators(
        self, accumulators: Iterable[SketchedValues | None]
    ) -> SketchedValues | None:
        """Merge all into the first."""
        parts = [part for part in accumulators if part is not None]
        if not parts:
            return None
        (seen, few), *others = parts
        for other in others:
            seen = merged(seen, other.seen)
            few = [
                None if theirs is None else self._joined(own, theirs)
                for own, theirs in zip(few, other.few, strict=True)
            ]
        return SketchedValues(seen, few)

    def extract_output(self, accumulator: SketchedValues) -> np.ndarray:
        """Return the edges, float64 [columns, bins + 1]."""
        quantiles = self._distributions.extract_output(accumulator.seen)
        return np.stack(
            [
                _padded(own if own is not None else chosen(ranks, self._bins), self._bins + 1)
                for own, ranks in zip(accumulator.few, quantiles, strict=True)
            ]
        )


def chosen(quantiles: np.ndarray, bins: int) -> np.ndarray:
    """Return at most `bins + 1` of a column's quantiles, ascending, each once.

    >>> chosen(np.arange(9.0), 4)
    array([0., 2., 4., 6., 8.])
    """
    middle = quantiles[len(quantiles) // 2]
    others = quantiles[quantiles != middle]
    if 0 < 2 * len(others) < len(quantiles):  # it is in more than half of the rows
        return np.union1d(_spread(others, bins), [middle])
    return np.unique(_spread(quantiles, bins + 1))


def _spread(values: np.ndarray, count: int) -> np.ndarray:
    """Return so many of sorted values, from the first to the last, at equal distances."""
    return values[np.linspace(0, len(values) - 1, count).round().astype(np.int64)]


def _padded(ends: np.ndarray, count: int) -> np.ndarray:
    last = ends[-1] if len(ends) else np.nan
    return np.concatenate([ends, np.full(count - len(ends), last)])
