"""Quantiles with boundaries in float64.

The function takes a matrix of numbers and returns the boundaries of each column's buckets over the
training split. `tft.quantiles` does the same with boundaries rounded to float32, in which Unix
seconds less than a minute apart are equal.

The sketches are those that TFT uses. They have 32 bytes a value while a column has few values, and
TFT sends them from step to step seven times, all columns at once. Here they are sent once, some
columns at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl.sketches import QuantilesSketch

_SLICE = 32  # columns whose sketches are merged together
_MOST_ROWS = 1 << 32  # up to which `epsilon` holds


def quantiles(x: tf.Tensor, weights: tf.Tensor, num_buckets: int, epsilon: float) -> tf.Tensor:
    """Return the boundaries between buckets, float64 [columns, num_buckets - 1].

    Args:
      x: float64 [rows, columns]; NaN is left out.
      weights: float32 [rows].
      num_buckets: the number of parts of about equal weight that each column is cut into.
      epsilon: the error that a boundary's rank may have, as a share of all rows.
    """
    columns = x.shape[1]
    (boundaries,) = tft.experimental.ptransform_analyzer(
        inputs=[x, weights],
        ptransform=Boundaries(columns, num_buckets, epsilon),
        output_dtypes=[tf.float64],
        output_shapes=[[columns, num_buckets - 1]],
        name="quantiles",
    )
    return boundaries


class Boundaries(beam.PTransform):
    """(matrix, weights) batches to one matrix of boundaries.

    Args:
      columns: how many the matrix has.
      num_buckets: as for `quantiles`.
      epsilon: as for `quantiles`.
    """

    def __init__(self, columns: int, num_buckets: int, epsilon: float) -> None:
        super().__init__()
        self._firsts = range(0, columns, _SLICE)
        self._combine = Sketches(num_buckets, epsilon)

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray, np.ndarray]]
    ) -> beam.PCollection[np.ndarray]:
        """Return the boundaries, float64 [columns, num_buckets - 1]."""
        slices = batches | "Slice" >> beam.FlatMap(_slices) | beam.CombinePerKey(self._combine)
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Join" >> beam.Map(_joined, beam.pvalue.AsDict(slices), self._firsts)
        )


def _slices(
    batch: tuple[np.ndarray, np.ndarray],
) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    values, weights = batch
    for first in range(0, values.shape[1], _SLICE):
        yield first, (values[:, first : first + _SLICE], weights)


def _joined(_: None, slices: dict[int, np.ndarray], firsts: Iterable[int]) -> np.ndarray:
    return np.concatenate([slices[first] for first in firsts])


class Sketches(beam.CombineFn):
    """(values [rows, columns], weights [rows]) to the columns' boundaries.

    Args:
      num_buckets: as for `quantiles`.
      epsilon: as for `quantiles`.
    """

    def __init__(self, num_buckets: int, epsilon: float) -> None:
        self._num_buckets = num_buckets
        self._epsilon = epsilon

    def create_accumulator(self) -> QuantilesSketch | None:
        """Return None: the first batch says how many columns there are."""
        return None

    def add_input(
        self, accumulator: QuantilesSketch | None, batch: tuple[np.ndarray, np.ndarray]
    ) -> QuantilesSketch:
        """Add a batch's values, row by row."""
        values, weights = batch
        sketch = accumulator or QuantilesSketch(self._epsilon, _MOST_ROWS, values.shape[1])
        sketch.AddValues(pa.array(values.ravel()), pa.array(weights))
        return sketch

    def compact(self, accumulator: QuantilesSketch | None) -> QuantilesSketch | None:
        """Reduce a sketch to what merging needs."""
        if accumulator is not None:
            accumulator.Compact()
        return accumulator

    def merge_accumulators(
        self, accumulators: Iterable[QuantilesSketch | None]
    ) -> QuantilesSketch | None:
        """Merge all into the first."""
        merged, *others = [sketch for sketch in accumulators if sketch is not None] or [None]
        for sketch in others:
            merged.Merge(sketch)
        return merged

    def extract_output(self, accumulator: QuantilesSketch) -> np.ndarray:
        """Return the boundaries, without smallest and greatest value."""
        found = accumulator.GetQuantiles(self._num_buckets)
        return np.asarray(found.flatten()).reshape(len(found), -1)[:, 1:-1]
