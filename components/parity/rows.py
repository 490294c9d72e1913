"""The rows that the proof compares: real ones of all splits, and adversarial ones.

The functions take examples. They return one batch of raw rows, a name for each, and which of them
lack which columns. The same examples always give the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import list_arrays
from components.examples import ARROW_TYPES, read_row_group, row_groups
from components.examples import column as column_of
from components.parity import covering
from components.parity.changes import BASE_ROWS, ChangedRow, changed_rows
from components.parity.values import is_plain, readable
from components.raw_values import requested_batch
from components.transform.treatments.protocol import Boundary
from schemas.columns import Column
from schemas.types import TYPES

# Real rows are taken from the splits in this order: rows that no model has seen come first.
SPLITS = ("test", "eval", "train")
# At most so many batches of a split are read, however large it is.
_MAX_ROW_GROUPS = 16

# Text as bytes: it need not be UTF-8 here.
_TYPES = {
    name: pa.binary() if TYPES[name].is_text else arrow for name, arrow in ARROW_TYPES.items()
}


@dataclass(frozen=True)
class Rows:
    """Raw rows to compare.

    Attributes:
      batch: the rows; columns are int64, float32, binary or lists of these, null where missing.
      names: a name of each row.
      real: how many of the first ones are unchanged rows, by the split they came from.
      changed: the other rows' changes.
      bases: the real rows that those were made from.
      columns: the columns of all of them.
    """

    batch: pa.RecordBatch
    names: tuple[str, ...]
    real: Mapping[str, int]
    changed: tuple[ChangedRow, ...]
    bases: pa.RecordBatch
    columns: tuple[Column, ...]

    @property
    def real_rows(self) -> int:
        """How many rows are real."""
        return sum(self.real.values())

    @property
    def adversarial_rows(self) -> int:
        """How many rows are made up."""
        return len(self.changed)

    @property
    def without(self) -> dict[tuple[str, ...], slice]:
        """By set of columns, the rows (a slice of the batch) that lack them and nothing else."""
        lacking = {}
        numbered = enumerate(self.changed, start=self.real_rows)
        for names, group in itertools.groupby(numbered, key=lambda pair: pair[1].leaves_out):
            if names:
                numbers = [number for number, _ in group]
                lacking[names] = slice(numbers[0], numbers[-1] + 1)
        return lacking

    @property
    def changes(self) -> np.ndarray:
        """How many changes each row has, int [rows]; real rows have none."""
        changes = np.zeros(len(self.names), np.int64)
        changes[self.real_rows :] = [len(row.changes) for row in self.changed]
        return changes

    def changed_row(self, number: int) -> ChangedRow | None:
        """Return the changes of a row of the batch; None for a real one."""
        return self.changed[number - self.real_rows] if number >= self.real_rows else None

    def content(self, number: int) -> dict[str, str]:
        """Return a row's values in readable form, times as requests carry them."""
        (row,) = requested_batch(self.batch.slice(number, 1), self.columns).to_pylist()
        return {name: readable(value) for name, value in row.items()}

    def plain(self, columns: Sequence[Column]) -> np.ndarray:
        """Return, bool [rows], which rows files can contain, by their values in these columns."""
        fits = np.ones(len(self.names), bool)
        for column in columns:
            fits &= _plain(column_of(self.batch, column.name), column)
        return fits


def _plain(array: pa.Array, column: Column) -> np.ndarray:
    """Return, bool [rows], the result of `is_plain`, which is called once for each text."""
    if column.is_list:
        return np.array([value is None or is_plain(value) for value in array.to_pylist()], bool)
    if column.type.is_whole:
        return np.ones(len(array), bool)
    if not column.type.is_text:
        return ~np.isinf(array.to_numpy(zero_copy_only=False))
    encoded = array.dictionary_encode()
    fits = np.array([is_plain(text) for text in encoded.dictionary.to_pylist()] + [True])
    return fits[encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()]


def make_rows(
    examples: str,
    columns: Sequence[Column],
    serving: Sequence[Column],
    real: int,
    boundaries: Mapping[str, Sequence[Boundary]] | None = None,
) -> Rows:
    """Return up to `real` rows of the splits, then the adversarial ones made from some of them.

    Args:
      examples: folder of raw examples.
      columns: the columns to read: the serving ones and the label's.
      serving: the columns that a request contains, whose values are changed.
      real: how many real rows at most, spread evenly over each split.
      boundaries: by column, numbers at which its buckets may end.
    """
    samples: dict[str, pa.RecordBatch] = {}
    for split in SPLITS:
        left = real - sum(sample.num_rows for sample in samples.values())
        samples[split] = sample_rows(examples, split, columns, left)
    sample = pa.Table.from_batches(samples.values()).combine_chunks().to_batches()
    real_rows = sample[0] if sample else _all_missing(columns)
    changed = changed_rows(real_rows, serving, boundaries or {})
    bases = real_rows.slice(0, BASE_ROWS)
    batch = pa.Table.from_batches([*sample, _apply(bases, columns, changed)])
    labels = [f"{split} row {i}" for split, s in samples.items() for i in range(s.num_rows)]
    return Rows(
        batch=batch.combine_chunks().to_batches()[0],
        names=tuple(labels + [row.name for row in changed]),
        real={split: s.num_rows for split, s in samples.items()},
        changed=tuple(changed),
        bases=bases,
        columns=tuple(columns),
    )


def rows_of(
    bases: pa.RecordBatch, columns: Sequence[Column], changed: Sequence[ChangedRow]
) -> Rows:
    """Return only these changed rows.

    Args:
      bases: the real rows that they are made from.
      columns: the columns of `bases`.
      changed: the rows; those that leave out the same columns are next to each other.
    """
    names = tuple(row.name for row in changed)
    made = _apply(bases, columns, changed)
    return Rows(made, names, {}, tuple(changed), bases, tuple(columns))


def sample_rows(examples: str, split: str, columns: Sequence[Column], count: int) -> pa.RecordBatch:
    """Return up to `count` rows of a split, evenly spread over it."""
    groups = [g for g in row_groups(examples, split) if g.rows] if count else []
    groups = [groups[i] for i in covering.evenly(len(groups), _MAX_ROW_GROUPS)]
    chosen = np.array(covering.evenly(sum(g.rows for g in groups), count), dtype=np.int64)
    batches, first = [], 0
    for group in groups:
        inside = chosen[(chosen >= first) & (chosen < first + group.rows)] - first
        batch = read_row_group(group, [c.name for c in columns])
        batches.append(batch.take(pa.array(inside)))
        first += group.rows
    arrays = [
        pa.concat_arrays([b.column(i).cast(_type_of(c)) for b in batches] or [_nulls(c, 0)])
        for i, c in enumerate(columns)
    ]
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in columns])


def _apply(
    bases: pa.RecordBatch, columns: Sequence[Column], changed: Sequence[ChangedRow]
) -> pa.RecordBatch:
    """Return the changed rows, a column after the other."""
    taken = pa.array([row.base for row in changed], pa.int64())
    new: dict[str, dict[int, Any]] = {column.name: {} for column in columns}
    for number, row in enumerate(changed):
        for change in row.changes:
            for name, value in change.values.items():
                new[name][number] = value
    arrays = [
        _replace(bases.column(index).take(taken), new[column.name])
        for index, column in enumerate(columns)
    ]
    return pa.RecordBatch.from_arrays(arrays, [column.name for column in columns])


def _replace(array: pa.Array, values: Mapping[int, Any]) -> pa.Array:
    """Return the array with other values in some rows, in ascending order."""
    where = np.zeros(len(array), bool)
    where[list(values)] = True
    if list_arrays.is_list(array.type):  # not supported by the function below
        new = pa.array(values.values(), array.type)
        numbers = np.arange(len(array))
        numbers[where] = len(array) + np.arange(len(new))
        return pa.concat_arrays([array, new]).take(pa.array(numbers))
    return pc.replace_with_mask(array, pa.array(where), pa.array(values.values(), array.type))


def _all_missing(columns: Sequence[Column]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([_nulls(c, 1) for c in columns], [c.name for c in columns])


def _nulls(column: Column, rows: int) -> pa.Array:
    return pa.nulls(rows, _type_of(column))


def _type_of(column: Column) -> pa.DataType:
    return pa.list_(_TYPES[column.kind]) if column.is_list else _TYPES[column.kind]
