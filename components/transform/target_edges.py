"""The ends of intervals at which the label changes most: the leaves of a decision tree of a column.

The tree is that of Gorishniy et al. 2022 (arXiv:2203.05556, section 3.2.2) and of scikit-learn: the
best split of all leaves comes first, by Gini impurity of classes or by squared error of a number.
It splits at the values of a column that has up to 1,025, and else at as many quantiles. The rows,
weights and labels between these are added up as whole numbers, so they are exact in any order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.transform import distributions
from components.transform.edges import edges
from components.transform.treatments.protocol import Target
from schemas.treatments.target_edges import TargetEdges

_CANDIDATES = 1_024
_SLICE = 32  # columns whose sums are added up together
# A label from 0 to 1 and the share of the greatest weight, as whole numbers: the sum of their
# products over 2**33 rows is an int64.
_LABEL_UNITS, _WEIGHT_UNITS = 2**20, 2**10
_LEAST_GAIN = 1e-12  # less, as a share of all, is rounding


class Intervals(NamedTuple):
    """The intervals of columns: `least`, `greatest` [columns, 1], and what is `between` any two.

    `between` is float64 [columns, intervals - 1], ascending, filled up with infinity. A column
    without values has NaN, NaN and infinity.
    """

    least: tf.Tensor
    between: tf.Tensor
    greatest: tf.Tensor


def learn(value: tf.Tensor, options: Sequence[TargetEdges], target: Target) -> Intervals:
    """Return the intervals of columns.

    Args:
      value: float64 [rows, columns]; NaN and infinite values are left out.
      options: of each column.
      target: the label, its classes int64, of which rows of -1 are left out, or numbers.
    """
    candidates = edges(value, _CANDIDATES)
    across = tf.transpose(value)
    place = tf.searchsorted(candidates, across, side="right") - 1
    known = tf.math.is_finite(across)
    label, weight = _bounded(target)
    (between,) = tft.experimental.ptransform_analyzer(
        # TFT takes no output of an analyzer itself.
        inputs=[tf.transpose(tf.where(known, place, -1)), tf.identity(candidates), label, weight],
        ptransform=LearnSplits(options),
        output_dtypes=[tf.float64],
        output_shapes=[[len(options), max(o.bins for o in options) - 1]],
        name="target_edges",
    )
    return Intervals(candidates[:, :1], between, candidates[:, -1:])


def _bounded(target: Target) -> tuple[tf.Tensor, tf.Tensor]:
    """Return classes as they are or numbers from 0 to 1, and weights up to 1, both [rows]."""
    number = tf.cast(target.label, tf.float64)
    both = tf.stack([number, tf.cast(target.weight, tf.float64)], axis=1)
    ends = distributions.learn(both, 1, np.asarray, width=2)
    weight = tf.math.divide_no_nan(both[:, 1], ends[1, 1])
    if target.label.dtype.is_integer:
        return target.label, weight
    return tf.math.divide_no_nan(number - ends[0, 0], ends[0, 1] - ends[0, 0]), weight


class LearnSplits(beam.PTransform):
    """Batches of places among candidates, candidates, labels and weights to the splits of trees.

    Args:
      options: of each column.
    """

    def __init__(self, options: Sequence[TargetEdges]) -> None:
        super().__init__()
        self._options = tuple(options)

    def expand(self, batches: beam.PCollection[tuple[np.ndarray, ...]]) -> beam.PCollection[Any]:
        """Return the values at which rows are split, float64 [columns, most leaves - 1]."""
        firsts = range(0, len(self._options), _SLICE)
        slices = (
            batches
            | "Slice" >> beam.FlatMap(_slices, firsts)
            | "Sum" >> beam.CombinePerKey(SumLabels())
        )
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Split" >> beam.Map(self._split, beam.pvalue.AsDict(slices), firsts)
        )

    def _split(
        self, _: None, slices: dict[int, tuple[np.ndarray, np.ndarray]], firsts: Iterable[int]
    ) -> np.ndarray:
        columns = [pair for first in firsts for pair in zip(*slices[first], strict=True)]
        found = np.full((len(columns), max(o.bins for o in self._options) - 1), np.inf)
        for row, (candidates, sums), own in zip(found, columns, self._options, strict=True):
            places = splits(sums, own.bins, own.min_count)
            row[: len(places)] = candidates[places]
        return found


def _slices(
    batch: tuple[np.ndarray, ...], firsts: Iterable[int]
) -> list[tuple[int, tuple[np.ndarray, ...]]]:
    place, candidates, label, weight = batch
    return [
        (first, (place[:, cut], candidates[cut], label, weight))
        for first in firsts
        for cut in [slice(first, first + _SLICE)]
    ]


class SumLabels(beam.CombineFn):
    """Slices of batches to candidates, and sums int64 [columns, candidates, 2 + outputs].

    The sums are rows, their weights, and those times the label, or of each class.
    """

    def create_accumulator(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return None: the first batch says how many columns there are."""
        return None

    def add_input(
        self, accumulator: tuple[np.ndarray, np.ndarray] | None, batch: tuple[np.ndarray, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add a batch's rows."""
        place, candidates, label, weight = batch
        units = np.rint(weight * _WEIGHT_UNITS)
        count = candidates.shape[1]
        place = np.where(label[:, None] >= 0, place, -1)
        sums = np.stack([_sums(own, count, label, units) for own in place.T])
        return _added(accumulator, (candidates, sums))

    def merge_accumulators(
        self, accumulators: Iterable[tuple[np.ndarray, np.ndarray] | None]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Add up all."""
        merged = None
        for each in accumulators:
            merged = merged if each is None else _added(merged, each)
        return merged

    def extract_output(
        self, accumulator: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the candidates and the sums."""
        return accumulator


def _sums(place: np.ndarray, count: int, label: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the sums of one column, int64 [candidates, 2 + outputs]; places of -1 are left out."""
    classes = int(label.max(initial=0)) + 1
    known = place >= 0
    place, label, units = place[known], label[known], units[known]
    rows, weight = np.bincount(place, minlength=count), np.bincount(place, units, count)
    if np.issubdtype(label.dtype, np.integer):
        labels = np.bincount(place * classes + label, units, count * classes).reshape(count, -1)
    else:
        labels = np.bincount(place, units * np.rint(label * _LABEL_UNITS), count)[:, None]
    return np.column_stack([rows, weight, labels]).astype(np.int64)


def _added(
    one: tuple[np.ndarray, np.ndarray] | None, other: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum; a batch in which the last classes are missing has fewer sums."""
    if one is None:
        return other
    width = max(one[1].shape[-1], other[1].shape[-1])
    both = [np.pad(s, [(0, 0), (0, 0), (0, width - s.shape[-1])]) for _, s in (one, other)]
    return one[0], both[0] + both[1]


def splits(sums: np.ndarray, leaves: int, least_rows: int) -> list[int]:
    """Return the numbers of the candidates at which a tree splits rows, ascending.

    Args:
      sums: of one column, from each candidate to the next, as `SumLabels` returns them.
      leaves: how many there may be.
      least_rows: of a leaf.
    """
    before = np.cumsum(np.pad(sums, [(1, 0), (0, 0)]), axis=0)
    whole = _purity(before[-1:])[0]
    # Those with the greatest gain first, and of these the smallest.
    waiting = [_best(before, 0, len(sums), least_rows)]
    found: list[int] = []
    while waiting and len(found) < leaves - 1:
        negative_gain, place, first, end = heapq.heappop(waiting)
        if -negative_gain <= _LEAST_GAIN * whole:
            break
        found.append(place)
        for part in ((first, place), (place, end)):
            heapq.heappush(waiting, _best(before, *part, least_rows))
    return sorted(found)


def _best(before: np.ndarray, first: int, end: int, least_rows: int) -> tuple[float, int, int, int]:
    """Return the negative gain and the place of the best split of a leaf, and the leaf's ends."""
    places = np.arange(first + 1, end)
    below, above = before[places] - before[first], before[end] - before[places]
    allowed = np.minimum(below[:, 0], above[:, 0]) >= least_rows
    if not allowed.any():
        return 0.0, first, first, end
    all_rows = _purity(before[end : end + 1] - before[first])
    gain = np.where(allowed, _purity(below) + _purity(above) - all_rows, -np.inf)
    best = int(np.argmax(gain))
    return -float(gain[best]), int(places[best]), first, end


def _purity(sums: np.ndarray) -> np.ndarray:
    """Return what is greater the less labels differ: squares of sums by the weight, [any]."""
    weight, labels = sums[:, 1].astype(np.float64), sums[:, 2:].astype(np.float64)
    squares = np.square(labels).sum(axis=1)
    return np.divide(squares, weight, out=np.zeros_like(squares), where=weight > 0)
