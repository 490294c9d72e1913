"""The bins of a column: tenths of the training rows, or the most frequent values.

A sample decides them, so that one pass over the rows is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import list_arrays
from components.tasks.outcomes import frequent_values

BINS = 10
REST, MISSING = BINS, BINS + 1  # the numbers of the bins of other values, and of none
SIZE = BINS + 2


@dataclass(frozen=True)
class Bins:
    """The bins of a column.

    Attributes:
      edges: of a column of numbers, from the least to the greatest number, both of the sample; bin
        i has edges[i] ≤ x < edges[i + 1], the first and the last one all beyond.
      values: of another column, the value of each bin, as text.
      ranks: of a column of numbers, the mean rank in each bin, from -1 to 1.
      distinct: of a column of numbers, how many different ones the sample has.
    """

    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    ranks: tuple[float, ...] = ()
    distinct: int | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether they are of numbers."""
        return bool(self.edges)

    def numbers(self, array: pa.Array) -> np.ndarray:
        """Return the number of each row's bin, int64 [rows]."""
        if not self.is_ordered:
            found = pc.index_in(array.cast(pa.string()), value_set=self._value_set)
            numbers = np.asarray(found.fill_null(REST), dtype=np.int64)
        else:
            values, numbers = _numbers(array), np.zeros(len(array), np.int64)
            for edge in self.edges[1:-1]:  # faster than a search, which branches for each row
                numbers += values >= edge
        missing = _missing(array)
        return numbers if missing is None else np.where(missing, MISSING, numbers)

    def describe(self, number: int) -> dict[str, Any]:
        """Return what a bin holds, as the fields of a `BinRelation`."""
        if number == MISSING:
            return {"kind": "missing"}
        if number == REST:
            return {"kind": "rest"}
        if self.is_ordered:
            return {"kind": "range", "low": self.edges[number], "high": self.edges[number + 1]}
        return {"kind": "value", "value": self.values[number]}

    @cached_property
    def _value_set(self) -> pa.Array:
        return pa.array(self.values, pa.string())


def bins_of(sample: pa.RecordBatch, name: str, *, category: bool) -> Bins | None:
    """Return the bins of a column; None for lists, and where the sample has no value.

    Args:
      sample: training rows.
      name: the column's.
      category: whether its whole numbers are names.
    """
    array = sample.column(sample.schema.get_field_index(name))
    if list_arrays.is_list(array.type) or array.null_count == len(array):
        return None
    if category or pa.types.is_string(array.type):
        return Bins(values=frequent_values(sample, name))
    present = _numbers(array)
    present = np.sort(present[~np.isnan(present)])
    if not len(present):
        return None
    edges = np.unique(present[np.arange(1, BINS) * len(present) // BINS])
    edges = edges[edges > present[0]]
    edges = np.array([present[0], *edges, present[-1]])
    counts = np.bincount(np.searchsorted(edges[1:-1], present, side="right"), minlength=BINS)
    middles = (np.cumsum(counts) - counts / 2) / len(present) * 2 - 1
    distinct = 1 + int(np.count_nonzero(np.diff(present)))
    return Bins(tuple(edges.tolist()), ranks=(*middles.tolist(), 0.0, 0.0), distinct=distinct)


def _numbers(array: pa.Array) -> np.ndarray:
    """Return a column of numbers, NaN where missing; [rows]."""
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _missing(array: pa.Array) -> np.ndarray | None:
    """Return which rows have no value, bool [rows]; None if all have one."""
    if pa.types.is_floating(array.type):
        missing = np.isnan(_numbers(array))
        return missing if missing.any() else None
    return np.asarray(array.is_null()) if array.null_count else None
