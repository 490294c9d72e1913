"""The rows that the proof asks about: real ones of the test split, and adversarial ones.

Goes in: a split of examples. Comes out: one batch of raw rows, a name for each, and which of them
lack a single column. Deterministic: the same examples give the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import read_row_group, row_groups
from components.export import signatures as names
from schemas.columns import Column

# At most so many batches are read of the test split, however large it is.
_MAX_ROW_GROUPS = 16
# Real rows that adversarial values and missing columns are tried on.
_BASE_ROWS = 4

_TYPES = {"INT": pa.int64(), "FLOAT": pa.float32(), "BYTES": pa.binary()}
_MAX_FLOAT = float(np.finfo(np.float32).max)

_ADVERSARIAL: dict[str, tuple[Any, ...]] = {
    "INT": (0, -1, 1, 2**31, -(2**31) - 1, 2**53 - 1, 2**53, -(2**53)),
    "FLOAT": (
        float("nan"),
        float("inf"),
        float("-inf"),
        _MAX_FLOAT,
        -_MAX_FLOAT,
        float(np.finfo(np.float32).tiny),
        float(np.finfo(np.float32).smallest_subnormal),
        0.0,
        -0.0,
        2.0**53,
        -(2.0**53),
        1e-30,
    ),
    "BYTES": (
        b"",
        b" ",
        b"never seen",
        b"\x00",
        b"nul\x00inside",
        b"line\nbreak\r\n",
        b"\t\x07\x1b[31m\x7f",
        b"a\x1fb",  # the separator of crosses
        b"\xff\xfe\x80",  # no UTF-8
        "naïve 日本 🚕".encode(),
        "e\u0301".encode(),  # é in two code points
        b"nan",
        b"0",
        b"x" * 100_000,
    ),
}


@dataclass(frozen=True)
class Rows:
    """Raw rows to ask about.

    Attributes:
      batch: the rows; columns are int64, float32 or binary, null where missing.
      names: what each row is.
      real: how many of them, the first ones, are rows of the test split as they are.
      without: by column, the rows (a slice of the batch) that lack it and nothing else.
    """

    batch: pa.RecordBatch
    names: tuple[str, ...]
    real: int
    without: dict[str, slice]

    @property
    def adversarial(self) -> int:
        """How many rows are made up."""
        return len(self.names) - self.real


def make_rows(
    examples: str, columns: Sequence[Column], serving: Sequence[Column], real: int
) -> Rows:
    """Return up to `real` rows of the test split, then the adversarial ones made from some of them.

    Args:
      examples: folder of raw examples.
      columns: the columns to read: the serving ones and the label's.
      serving: the columns that a request carries, the ones that are tampered with.
      real: how many real rows at most, spread evenly over the split.
    """
    sample = sample_rows(examples, columns, real)
    base = sample if sample.num_rows else _all_missing(columns)
    changes = list(_changes(base, serving))
    rows = pa.array([change.row for change in changes], pa.int64())
    adversarial = pa.RecordBatch.from_arrays(
        [_change(base.column(i).take(rows), c, changes) for i, c in enumerate(columns)],
        [c.name for c in columns],
    )
    table = pa.Table.from_batches([sample, adversarial]).combine_chunks()
    labels = [f"test row {i}" for i in range(sample.num_rows)] + [c.name for c in changes]
    return Rows(
        batch=table.to_batches()[0],
        names=tuple(labels),
        real=sample.num_rows,
        without=_without(changes, sample.num_rows),
    )


def sample_rows(examples: str, columns: Sequence[Column], count: int) -> pa.RecordBatch:
    """Return up to `count` rows of the test split, evenly spread over it."""
    groups = [g for g in row_groups(examples, "test") if g.rows]
    groups = [groups[i] for i in _spread(len(groups), _MAX_ROW_GROUPS)]
    wanted = np.array(_spread(sum(g.rows for g in groups), count), dtype=np.int64)
    batches, first = [], 0
    for group in groups:
        inside = wanted[(wanted >= first) & (wanted < first + group.rows)] - first
        batch = read_row_group(group, [c.name for c in columns])
        batches.append(batch.take(pa.array(inside)))
        first += group.rows
    arrays = [
        pa.concat_arrays([b.column(i).cast(_TYPES[c.kind]) for b in batches] or [_nulls(c, 0)])
        for i, c in enumerate(columns)
    ]
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in columns])


def adversarial_values(column: Column, seen: Sequence[Any]) -> list[Any]:
    """Return the values to try in a column: the ones of its kind, and changes of real ones."""
    values = _ADVERSARIAL[column.kind]
    near: list[Any] = []
    for value in [v for v in seen if v is not None][:1]:
        if column.kind == "BYTES":
            near += [b" " + value, value + b" ", value + b"\x00", value.swapcase()]
        elif column.kind == "INT":
            near.append(value + 1 if value < names.LARGEST_INTEGER else value - 1)
        else:
            near.append(float(np.nextafter(np.float32(value), np.float32(np.inf))))
    return [*values, *(value for value in near if value not in values)]


@dataclass(frozen=True)
class _Changed:
    """A real row with some of its values replaced."""

    name: str
    row: int
    values: dict[str, Any]
    lacks: str | None = None


def _changes(base: pa.RecordBatch, serving: Sequence[Column]) -> Iterator[_Changed]:
    bases = range(min(base.num_rows, _BASE_ROWS))
    for column in serving:
        for row in bases:
            name = f"test row {row} without {column.name!r}"
            yield _Changed(name, row, {column.name: None}, lacks=column.name)
    for number, column in enumerate(serving):
        seen = base.column(base.schema.names.index(column.name)).slice(0, 100).to_pylist()
        for value in adversarial_values(column, seen):
            row = bases[number % len(bases)]
            name = f"test row {row} with {column.name!r} = {readable(value)}"
            yield _Changed(name, row, {column.name: value})
    yield _Changed("every column missing", 0, {c.name: None for c in serving})
    for column in serving:
        others = {c.name: None for c in serving if c != column}
        yield _Changed(f"every column but {column.name!r} missing", 0, others)


def _change(array: pa.Array, column: Column, changes: Sequence[_Changed]) -> pa.Array:
    values = [
        change.values.get(column.name, value)
        for change, value in zip(changes, array.to_pylist(), strict=True)
    ]
    return pa.array(values, _TYPES[column.kind])


def _without(changes: Sequence[_Changed], first: int) -> dict[str, slice]:
    found: dict[str, slice] = {}
    for number, change in enumerate(changes, start=first):
        if change.lacks is not None:
            start = found[change.lacks].start if change.lacks in found else number
            found[change.lacks] = slice(start, number + 1)
    return found


def _spread(total: int, count: int) -> list[int]:
    """Return up to `count` of range(total), evenly spread."""
    return [i * total // count for i in range(count)] if total > count else list(range(total))


def _all_missing(columns: Sequence[Column]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([_nulls(c, 1) for c in columns], [c.name for c in columns])


def _nulls(column: Column, rows: int) -> pa.Array:
    return pa.nulls(rows, _TYPES[column.kind])


def readable(value: Any, *, longest: int = 60) -> str:
    r"""Return a value as a person can read it, whatever characters are in it.

    >>> readable(None), readable(b"a\x00b"), readable(2.5)
    ('missing', "'a\\x00b'", '2.5')
    """
    if value is None:
        return "missing"
    if isinstance(value, bytes):
        try:
            text = repr(value.decode())
        except UnicodeDecodeError:
            text = repr(value)
        cut = f"{text[:longest]}… ({len(value):,} bytes)"
        return text if len(text) <= longest else cut
    return str(value)
