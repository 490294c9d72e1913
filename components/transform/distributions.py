"""What treatments learn of the distribution of each column: its extremes and quantiles, in float64.

One analyzer serves all columns. `tft.quantiles` does the same with quantiles rounded to float32, in
which Unix seconds less than a minute apart are equal.

The sketches are those that TFT uses. They have 32 bytes a value while a column has few values, and
TFT sends them from step to step seven times, all columns at once. Here they are sent once, some
columns at a time. Beside them are the exact extremes, between which every quantile is. A treatment
turns the quantiles into its own figures, such as an exponent, in numpy on a worker.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl.sketches import QuantilesSketch

_SLICE = 32  # columns whose sketches are merged together
_ERROR = 0.25 / 1_000  # of a quantile's rank, as a share of all rows
_MOST_ROWS = 1 << 32  # up to which it holds
_NO_WEIGHT = 1e-30  # so small that adding it to a row's weight does not move a quantile

Figures = Callable[[np.ndarray], np.ndarray]


class Distribution(NamedTuple):
    """What was seen of some columns: the extremes, float64 [columns] each, and a sketch if any."""

    least: np.ndarray
    greatest: np.ndarray
    sketch: QuantilesSketch | None


def learn(
    x: tf.Tensor, parts: int, figures: Figures, width: int, error: float = _ERROR
) -> tf.Tensor:
    """Return what `figures` makes of the columns' quantiles, float64 [columns, width].

    Args:
      x: float64 [rows, columns]; NaN and infinite values are left out.
      parts: how many parts of equally many rows the quantiles make; of 1, only the extremes are
        learned.
      figures: takes the quantiles, float64 [columns, parts + 1], from the smallest value to the
        greatest one, NaN in columns without values. It is a function of a module, or a partial one.
      width: how many figures of a column it returns.
      error: that a quantile's rank may have, as a share of all rows.
    """
    (found,) = tft.experimental.ptransform_analyzer(
        inputs=[x],
        ptransform=Learn(x.shape[1], CombineDistributions(parts, error), figures),
        output_dtypes=[tf.float64],
        output_shapes=[[x.shape[1], width]],
        name="distributions",
    )
    return found


class Learn(beam.PTransform):
    """Batches of a matrix to the figures of its columns.

    Args:
      columns: how many the matrix has.
      combine: values [rows, some columns] to an array [these columns, any].
      figures: takes that array of all columns; by default, it is the result.
    """

    def __init__(
        self, columns: int, combine: beam.CombineFn, figures: Figures = np.asarray
    ) -> None:
        super().__init__()
        self._firsts = range(0, columns, _SLICE)
        self._combine = combine
        self._figures = figures

    def expand(self, batches: beam.PCollection[tuple[np.ndarray]]) -> beam.PCollection[np.ndarray]:
        """Return the figures, float64 [columns, width]."""
        slices = (
            batches
            | "Slice" >> beam.FlatMap(_slices, self._firsts)
            | "Combine" >> beam.CombinePerKey(self._combine)
        )
        return (
            batches.pipeline
            | "Once" >> beam.Create([None])
            | "Figures"
            >> beam.Map(_figures, beam.pvalue.AsDict(slices), self._firsts, self._figures)
        )


def _slices(batch: tuple[np.ndarray], firsts: Iterable[int]) -> list[tuple[int, np.ndarray]]:
    (values,) = batch
    return [(first, values[:, first : first + _SLICE]) for first in firsts]


def _figures(
    _: None, slices: dict[int, np.ndarray], firsts: Iterable[int], figures: Figures
) -> np.ndarray:
    return figures(np.concatenate([slices[first] for first in firsts]))


class CombineDistributions(beam.CombineFn):
    """Values [rows, columns] to the columns' quantiles, float64 [columns, parts + 1].

    Args:
      parts: as for `learn`.
      error: as for `learn`.
    """

    def __init__(self, parts: int, error: float = _ERROR) -> None:
        self._parts = parts
        self._error = error

    def create_accumulator(self) -> Distribution | None:
        """Return None: the first batch says how many columns there are."""
        return None

    def add_input(self, accumulator: Distribution | None, values: np.ndarray) -> Distribution:
        """Add a batch's values."""
        known = np.isfinite(values)
        if accumulator is None:
            accumulator = self._empty(values.shape[1])
        if accumulator.sketch is not None:
            flat = np.where(known, values, np.nan).ravel()
            accumulator.sketch.AddValues(pa.array(flat), pa.array(np.ones(len(values), np.float32)))
        least = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
        greatest = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
        return merged(accumulator, Distribution(least, greatest, None))

    def _empty(self, columns: int) -> Distribution:
        least = np.full(columns, np.inf)
        if self._parts == 1:
            return Distribution(least, -least, None)
        sketch = QuantilesSketch(self._error, _MOST_ROWS, columns)
        # A row of almost no weight, because the sketch fails on a column without values.
        sketch.AddValues(pa.array(np.zeros(columns)), pa.array([_NO_WEIGHT], pa.float32()))
        return Distribution(least, -least, sketch)

    def compact(self, accumulator: Distribution | None) -> Distribution | None:
        """Reduce the sketch to what merging needs."""
        if accumulator is not None and accumulator.sketch is not None:
            accumulator.sketch.Compact()
        return accumulator

    def merge_accumulators(
        self, accumulators: Iterable[Distribution | None]
    ) -> Distribution | None:
        """Merge all into the first."""
        parts = [part for part in accumulators if part is not None]
        return functools.reduce(merged, parts) if parts else None

    def extract_output(self, accumulator: Distribution) -> np.ndarray:
        """Return the quantiles, of which the first and the last are exact."""
        least, greatest, sketch = accumulator
        if sketch is None:
            quantiles = np.stack([least, greatest], axis=1)
        else:
            found = sketch.GetQuantiles(self._parts)
            quantiles = np.asarray(found.flatten()).reshape(len(found), -1)
            # The row of almost no weight may be the sketch's first or last value.
            quantiles = np.clip(quantiles, least[:, None], greatest[:, None])
            quantiles[:, 0], quantiles[:, -1] = least, greatest
        return np.where((least <= greatest)[:, None], quantiles, np.nan)


def merged(one: Distribution, other: Distribution) -> Distribution:
    """Return both, with the sketch of the other one merged into the first one's."""
    if one.sketch is not None and other.sketch is not None:
        one.sketch.Merge(other.sketch)
    return Distribution(
        np.minimum(one.least, other.least), np.maximum(one.greatest, other.greatest), one.sketch
    )
