"""The rows that the proof asks about: real ones of all splits, and adversarial ones.

Goes in: examples. Comes out: one batch of raw rows, a name for each, and which of them lack a
single column. Deterministic: the same examples give the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import column as column_of
from components.examples import read_row_group, row_groups
from components.parity.values import adversarial_values, is_plain
from schemas.columns import Column

# Real rows are taken from the splits in this order: what no model has seen comes first.
SPLITS = ("test", "eval", "train")
# So many adversarial rows at least.
ADVERSARIAL_ROWS = 1_200
_SEED = 20_240_229
# At most so many batches are read of a split, however large it is.
_MAX_ROW_GROUPS = 16
# Real rows that adversarial values and missing columns are tried on.
_BASE_ROWS = 4
_SEEN = 100  # real rows that values are taken from
_LONGEST = 1_000  # bytes of a value that stands in many mixtures
_MIXTURES = 200  # at least
_MOST_ENDS = 40  # boundaries tried in a column

_TYPES = {"INT": pa.int64(), "FLOAT": pa.float32(), "BYTES": pa.binary()}


@dataclass(frozen=True)
class Rows:
    """Raw rows to ask about.

    Attributes:
      batch: the rows; columns are int64, float32 or binary, null where missing.
      names: what each row is.
      real: how many of the first ones are rows as they are, by the split they came from.
      without: by column, the rows (a slice of the batch) that lack it and nothing else.
    """

    batch: pa.RecordBatch
    names: tuple[str, ...]
    real: Mapping[str, int]
    without: Mapping[str, slice]

    @property
    def real_rows(self) -> int:
        """How many rows are real."""
        return sum(self.real.values())

    @property
    def adversarial_rows(self) -> int:
        """How many rows are made up."""
        return len(self.names) - self.real_rows

    def plain(self, columns: Sequence[Column]) -> np.ndarray:
        """Return, bool [rows], which rows have no value in these columns that files cannot hold."""
        fits = np.ones(len(self.names), bool)
        for column in columns:
            values = column_of(self.batch, column.name).to_pylist()
            fits &= np.fromiter(map(is_plain, values), bool, len(values))
        return fits


def make_rows(
    examples: str,
    columns: Sequence[Column],
    serving: Sequence[Column],
    real: int,
    boundaries: Mapping[str, Sequence[float]] | None = None,
) -> Rows:
    """Return up to `real` rows of the splits, then the adversarial ones made from some of them.

    Args:
      examples: folder of raw examples.
      columns: the columns to read: the serving ones and the label's.
      serving: the columns that a request carries, the ones that are tampered with.
      real: how many real rows at most, spread evenly over each split.
      boundaries: by column, numbers at which its buckets may end.
    """
    samples: dict[str, pa.RecordBatch] = {}
    for split in SPLITS:
        left = real - sum(sample.num_rows for sample in samples.values())
        samples[split] = sample_rows(examples, split, columns, left)
    sample = pa.Table.from_batches(samples.values()).combine_chunks().to_batches()
    base = sample[0] if sample else _all_missing(columns)
    changes = _changes(base, serving, boundaries or {})
    rows = pa.array([change.row for change in changes], pa.int64())
    adversarial = pa.RecordBatch.from_arrays(
        [_change(base.column(i).take(rows), c, changes) for i, c in enumerate(columns)],
        [c.name for c in columns],
    )
    labels = [f"{split} row {i}" for split, s in samples.items() for i in range(s.num_rows)]
    return Rows(
        batch=pa.Table.from_batches([*sample, adversarial]).combine_chunks().to_batches()[0],
        names=tuple(labels + [c.name for c in changes]),
        real={split: s.num_rows for split, s in samples.items()},
        without=_without(changes, len(labels)),
    )


def sample_rows(examples: str, split: str, columns: Sequence[Column], count: int) -> pa.RecordBatch:
    """Return up to `count` rows of a split, evenly spread over it."""
    groups = [g for g in row_groups(examples, split) if g.rows] if count else []
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


@dataclass(frozen=True)
class _Changed:
    """A real row with some of its values replaced."""

    name: str
    row: int
    values: dict[str, Any]
    lacks: str | None = None


def _changes(
    base: pa.RecordBatch, serving: Sequence[Column], boundaries: Mapping[str, Sequence[float]]
) -> list[_Changed]:
    bases = range(min(base.num_rows, _BASE_ROWS))
    seen = {c.name: column_of(base, c.name).slice(0, _SEEN).to_pylist() for c in serving}
    tried = {
        c.name: adversarial_values(c, seen[c.name], _inside(seen[c.name], boundaries.get(c.name)))
        for c in serving
    }
    changes = [
        *_without_one(bases, serving),
        *_with_one(bases, tried),
        *_several_missing(serving),
        *_swapped(serving, seen),
    ]
    # what one value at a time does not come to, mixtures do
    missing = max(_MIXTURES, ADVERSARIAL_ROWS - len(changes))
    return changes + list(_mixtures(missing, bases, seen, tried))


def _without_one(bases: range, serving: Sequence[Column]) -> Iterator[_Changed]:
    for column in serving:
        for row in bases:
            name = f"real row {row} without {column.name!r}"
            yield _Changed(name, row, {column.name: None}, lacks=column.name)


def _with_one(bases: range, tried: Mapping[str, Sequence[Any]]) -> Iterator[_Changed]:
    for number, (column, values) in enumerate(tried.items()):
        row = bases[number % len(bases)]
        for value in values:
            name = f"real row {row} with {column!r} = {readable(value)}"
            yield _Changed(name, row, {column: value})


def _inside(seen: Sequence[Any], boundaries: Sequence[float] | None) -> list[float]:
    """Return the boundaries that lie among real values."""
    numbers = [value for value in seen if isinstance(value, (int, float))]
    if not numbers or not boundaries:
        return []
    low, high = min(numbers), max(numbers)
    return [value for value in boundaries if low <= value <= high][:_MOST_ENDS]


def _several_missing(serving: Sequence[Column]) -> Iterator[_Changed]:
    yield _Changed("every column missing", 0, {c.name: None for c in serving})
    for column in serving:
        others = {c.name: None for c in serving if c != column}
        yield _Changed(f"every column but {column.name!r} missing", 0, others)
    for one, two in itertools.combinations([c.name for c in serving], 2):
        yield _Changed(f"real row 0 without {one!r} and {two!r}", 0, {one: None, two: None})


def _swapped(serving: Sequence[Column], seen: Mapping[str, Sequence[Any]]) -> Iterator[_Changed]:
    """Yield rows in which two columns of a kind have each other's values."""
    for one, two in itertools.combinations(serving, 2):
        if one.kind == two.kind:
            values = {one.name: seen[two.name][0], two.name: seen[one.name][0]}
            yield _Changed(f"real row 0 with {one.name!r} and {two.name!r} swapped", 0, values)


def _mixtures(
    count: int,
    bases: range,
    seen: Mapping[str, Sequence[Any]],
    tried: Mapping[str, Sequence[Any]],
) -> Iterator[_Changed]:
    """Yield rows in which about half of the columns are changed at once."""
    random = np.random.default_rng(_SEED)
    short = {name: [v for v in values if not _long(v)] for name, values in tried.items()}
    for number in range(count):
        row, values = bases[number % len(bases)], {}
        for column in tried:
            choice = (short[column], seen[column], [None])[random.choice(3, p=[0.3, 0.5, 0.2])]
            if random.random() < 0.5:
                values[column] = choice[int(random.integers(len(choice)))]
        yield _Changed(f"mixture {number} of real row {row}", row, values)


def _long(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) > _LONGEST


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
