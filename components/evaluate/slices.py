"""Slices of the test split: one for each distinct raw value of a column.

The functions take the columns to slice by. They return the values of each column that get a slice
of their own, and the number of each row's slice. Every row belongs to exactly one slice of a
column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import iter_batches
from components.raw_values import requested
from schemas.columns import Column
from schemas.types import FLOAT

MISSING = "(missing)"
OTHER = "(other)"

# So many of a column's most common values get a slice each; the rest share one.
MAX_SLICES = 100

# Distinct values counted before the rarer half is forgotten, so that slicing by an identifier
# does not use much memory. Counts are exact up to this number; they only decide which values are
# the most common ones.
_MAX_COUNTED = 100_000

SliceKind = Literal["value", "missing", "other"]


@dataclass(frozen=True)
class Slicing:
    """The slices of one column: one a value, one for missing, one for all other values.

    Attributes:
      column: the column sliced by.
      values: the values with a slice of their own.
    """

    column: Column
    values: tuple[Any, ...]

    @property
    def names(self) -> tuple[tuple[str, SliceKind], ...]:
        """Each slice's name and kind, in the order of their codes."""
        values: list[tuple[str, SliceKind]] = [
            (_name(v, self.column), "value") for v in self.values
        ]
        return (*values, (MISSING, "missing"), (OTHER, "other"))

    def codes(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the slice of each row, int64 [rows]."""
        array = _plain(batch.column(batch.schema.names.index(self.column.name)))
        own = _plain(pa.array(self.values, array.type))
        missing, other = len(self.values), len(self.values) + 1
        codes = pc.index_in(array, value_set=own).fill_null(other).to_numpy().astype(np.int64)
        codes[_missing(array)] = missing
        return codes


def choose_slices(root: str, split: str, columns: Sequence[Column]) -> tuple[Slicing, ...]:
    """Find the most common values of each column in a split; only these columns are read.

    This happens before the scoring, so that a slice's metrics are over all of its rows.
    """
    if not columns:
        return ()
    counts: list[Counter[Any]] = [Counter() for _ in columns]
    for batch in iter_batches(root, split, [c.name for c in columns]):
        for counter, array in zip(counts, batch.columns, strict=True):
            _count(counter, array)
            if len(counter) > _MAX_COUNTED:
                kept = counter.most_common(_MAX_COUNTED // 2)
                counter.clear()
                counter.update(dict(kept))
    return tuple(
        Slicing(column, commonest(counter)) for column, counter in zip(columns, counts, strict=True)
    )


def commonest(counts: Counter[Any]) -> tuple[Any, ...]:
    """Return the `MAX_SLICES` most common values, the most common first.

    Values that are equally common are sorted by value, so that the choice is repeatable.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(value for value, _ in ranked[:MAX_SLICES])


def _count(counter: Counter[Any], array: pa.Array) -> None:
    """Add the values of a column to their counts, leaving out what is missing."""
    plain = _plain(array)
    values, times = pc.value_counts(plain.filter(pa.array(~_missing(plain)))).flatten()
    counter.update(dict(zip(values.to_pylist(), times.to_pylist(), strict=True)))


def _plain(array: pa.Array) -> pa.Array:
    """Return the array with 0.0 for -0.0, which equals it but has another place in a look-up."""
    return pc.add(array, pa.scalar(0, array.type)) if pa.types.is_floating(array.type) else array


def _missing(array: pa.Array) -> np.ndarray:
    """Return which rows the transform graph treats as missing: null, NaN and empty text."""
    if pa.types.is_string(array.type):
        missing = pc.equal(array, "").fill_null(True)
    else:
        missing = pc.is_null(array, nan_is_null=True)
    return missing.to_numpy(zero_copy_only=False)


def _name(value: Any, column: Column) -> str:
    if column.type.is_time:
        return str(requested(pa.array([value], pa.int64()), column)[0].as_py())
    # A float32 read as a Python float has digits that are not in the data: 0.1 is 0.10000000149.
    return str(np.float32(value)) if column.type is FLOAT else str(value)
