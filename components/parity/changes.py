"""Adversarial rows: real rows with some of their values replaced, removed or swapped.

The function takes real rows, the columns of a request, and numbers at which buckets end. It returns
which values of which row are changed. A table of few columns gets a row for each change. In a wide
one, a row gets many changes at once, so that the number of rows and of cells stays bounded while
every value and every pair of columns is still tried. The same rows always give the same changes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import column as column_of
from components.parity import covering
from components.parity.values import adversarial_values, as_requested, readable
from components.transform.treatments.protocol import Boundary
from schemas.columns import Column

# So many adversarial rows at least, of a table that is not wide.
ADVERSARIAL_ROWS = 1_200
# Real rows that changes are made to.
BASE_ROWS = 4

_SEED = 20_240_229
_SEEN = 100  # real rows that values are taken from
_LONGEST = 1_000  # bytes of a value that is used in many mixtures
_MOST_ENDS = 40  # boundaries tried in a column

# Rows in tables of any width, where each change no longer gets a row of its own.
_VALUE_ROWS = 1_200  # with tried values
_PAIR_ROWS = 64  # with about half of the columns missing
_SWAP_ROWS = 512  # in which columns have each other's values
_LEFT_OUT = 32  # sets of columns that are missing, and left out of requests, together
_MIXTURES = 200  # at least
# Beyond so many columns, fewer of these rows are made: some hundred thousand cells are enough.
_FULL_WIDTH = 100


@dataclass(frozen=True)
class Change:
    """Something done to a row: a value replaced or removed, or the values of two columns swapped.

    Attributes:
      values: the new values by column; None where missing.
      column: the only column, to write its value as requests do.
    """

    values: Mapping[str, Any]
    column: Column | None = None

    @property
    def removes(self) -> bool:
        """Whether the change removes the value of a column."""
        return len(self.values) == 1 and None in self.values.values()

    def __str__(self) -> str:
        """Return the change in words that follow "real row 0"."""
        columns = " and ".join(map(repr, self.values))
        if len(self.values) > 1:
            return f"with {columns} swapped"
        (value,) = self.values.values()
        if value is None:
            return f"without {columns}"
        return f"with {columns} = {readable(as_requested(value, self.column))}"


@dataclass(frozen=True)
class ChangedRow:
    """A real row after some changes.

    Attributes:
      name: which row, in words.
      base: the number of the real row.
      changes: the changes to it; no column is changed twice.
      leaves_out: the columns that a request for this row may leave out, if it is a row for that.
    """

    name: str
    base: int
    changes: tuple[Change, ...]
    leaves_out: tuple[str, ...] = ()


def changed_row(base: int, *changes: Change, leaves_out: tuple[str, ...] = ()) -> ChangedRow:
    """Return a row with the name of its changes, or of the first one and the number of others.

    >>> changed_row(0, Change({"a": None}), Change({"b": None})).name
    "real row 0 without 'a' and 'b'"
    >>> changed_row(1, Change({"a": 1.5}), Change({"b": None}), Change({"c": None})).name
    "real row 1 with 'a' = 1.5 and 2 more changes"
    """
    if len(changes) == 2 and all(change.removes for change in changes):
        both = " and ".join(repr(name) for change in changes for name in change.values)
        return ChangedRow(f"real row {base} without {both}", base, changes, leaves_out)
    others = len(changes) - 1
    more = f" and {others} more change{'s' if others > 1 else ''}" if others else ""
    return ChangedRow(f"real row {base} {changes[0]}{more}", base, changes, leaves_out)


def changed_rows(
    real: pa.RecordBatch, columns: Sequence[Column], boundaries: Mapping[str, Sequence[Boundary]]
) -> list[ChangedRow]:
    """Return the adversarial rows.

    Args:
      real: real rows, at least one; the first ones are changed, values are taken from more of them.
      columns: the columns to change.
      boundaries: by column, numbers at which its buckets may end, and texts beside which an output
        changes.
    """
    bases = range(min(real.num_rows, BASE_ROWS))
    seen = {c.name: column_of(real, c.name).slice(0, _SEEN).to_pylist() for c in columns}
    tried = {
        c.name: adversarial_values(
            c, seen[c.name], _inside(c, seen[c.name], boundaries.get(c.name, ()))
        )
        for c in columns
    }
    rows = [
        *_without(bases, list(tried)),
        *_with(bases, tried, {c.name: c for c in columns}),
        *_several_missing(list(tried)),
        *_swapped(columns, seen),
    ]
    # Mixtures make up the number of rows that single changes do not reach.
    lacking = _scaled(ADVERSARIAL_ROWS, len(columns)) - len(rows)
    count = max(_scaled(_MIXTURES, len(columns)), lacking)
    return rows + list(_mixtures(count, bases, seen, tried, columns))


def _scaled(rows: int, columns: int, width: int = _FULL_WIDTH) -> int:
    return max(1, rows * width // max(columns, width))


def _without(bases: range, columns: Sequence[str]) -> Iterator[ChangedRow]:
    """Yield rows without each column; of many columns, without several at once."""
    for names in covering.parts(columns, _LEFT_OUT):
        changes = [Change({name: None}) for name in names]
        for base in bases:
            yield changed_row(base, *changes, leaves_out=tuple(names))


def _with(
    bases: range, tried: Mapping[str, Sequence[Any]], columns: Mapping[str, Column]
) -> Iterator[ChangedRow]:
    """Yield rows with each of the values to try once."""
    base_of = {name: bases[number % len(bases)] for number, name in enumerate(tried)}
    groups = [
        [Change({name: value}, columns[name]) for value in values] for name, values in tried.items()
    ]
    for changes in covering.spread(groups, _scaled(_VALUE_ROWS, len(tried))):
        (first,) = changes[0].values
        yield changed_row(base_of[first], *changes)


def _inside(column: Column, seen: Sequence[Any], boundaries: Sequence[Boundary]) -> list[Boundary]:
    """Return some of the boundaries that are values of a column: numbers among real ones."""
    if column.type.is_text:
        found: list[Boundary] = [each for each in boundaries if isinstance(each, bytes)]
        return [found[i] for i in covering.evenly(len(found), _MOST_ENDS)]
    flat = [value for each in seen for value in (each if isinstance(each, list) else [each])]
    real = [value for value in flat if value is not None and not math.isnan(value)]
    if not real:
        return []
    low, high = min(real), max(real)
    numbers = {n for n in map(_number, boundaries) if n is not None and low <= n <= high}
    inside = sorted(numbers)
    return [inside[i] for i in covering.evenly(len(inside), _MOST_ENDS)]


def _number(boundary: Boundary) -> float | None:
    """Return a boundary as a number, as which a vocabulary of numbers has texts."""
    try:
        return float(boundary)
    except ValueError:
        return None


def _several_missing(columns: Sequence[str]) -> Iterator[ChangedRow]:
    """Yield rows that lack each pair of columns, and rows with one value or none."""
    missing = {name: Change({name: None}) for name in columns}
    yield ChangedRow("every column missing", 0, tuple(missing.values()))
    for names in covering.parts(columns, _LEFT_OUT):
        present = set(names)
        others = tuple(change for name, change in missing.items() if name not in present)
        yield ChangedRow(f"every column but {_listed(names)} missing", 0, others)
    if math.comb(len(columns), 2) <= _PAIR_ROWS:
        pairs = itertools.combinations(missing.values(), 2)
        yield from (changed_row(0, *pair) for pair in pairs)
        return
    for number, members in enumerate(covering.pairs_together(len(columns), _PAIR_ROWS)):
        changes = tuple(itertools.compress(missing.values(), members))
        name = f"real row 0 without {len(changes)} of {len(columns)} columns, choice {number}"
        yield ChangedRow(name, 0, changes)


def _listed(names: Sequence[str]) -> str:
    return repr(names[0]) if len(names) == 1 else f"{names[0]!r} and {len(names) - 1} more"


def _swapped(columns: Sequence[Column], seen: Mapping[str, Sequence[Any]]) -> Iterator[ChangedRow]:
    """Yield rows in which columns of one type have each other's values: each pair, once."""
    kinds: dict[tuple[str, tuple[str, ...], int], list[str]] = {}
    for column in columns:
        kinds.setdefault((column.kind, column.form, column.most), []).append(column.name)
    most = _scaled(_SWAP_ROWS, len(columns), 2 * _SWAP_ROWS)
    rounds = [[*_swaps(names, seen, most)] for names in kinds.values()]
    every = [swap for of_kind in rounds for swaps in of_kind for swap in swaps]
    if len(every) <= _PAIR_ROWS:
        yield from (changed_row(0, swap) for swap in every)
        return
    for of_kinds in itertools.zip_longest(*rounds, fillvalue=()):
        changes = [swap for swaps in of_kinds for swap in swaps]
        if changes:
            yield changed_row(0, *changes)


def _swaps(
    names: Sequence[str], seen: Mapping[str, Sequence[Any]], most: int
) -> Iterator[list[Change]]:
    for number in covering.evenly(len(names), most):
        pairs = [(names[one], names[two]) for one, two in covering.round_of(len(names), number)]
        yield [Change({one: seen[two][0], two: seen[one][0]}) for one, two in pairs]


def _mixtures(
    count: int,
    bases: range,
    seen: Mapping[str, Sequence[Any]],
    tried: Mapping[str, Sequence[Any]],
    columns: Sequence[Column],
) -> Iterator[ChangedRow]:
    """Yield rows in which about half of the columns are changed at once."""
    random = np.random.default_rng(_SEED)
    choices = [([v for v in tried[c.name] if not _long(v)], seen[c.name], [None]) for c in columns]
    sizes = np.array([[len(values) for values in each] for each in choices])
    for number in range(count):
        base = bases[number % len(bases)]
        sources = random.choice(3, size=len(columns), p=[0.3, 0.5, 0.2])
        places = random.integers(sizes[np.arange(len(columns)), sources])
        changed = np.flatnonzero(random.random(len(columns)) < 0.5).tolist()
        at = list(zip(sources.tolist(), places.tolist(), strict=True))
        changes = [
            Change({columns[i].name: choices[i][at[i][0]][at[i][1]]}, columns[i]) for i in changed
        ]
        yield ChangedRow(f"mixture {number} of real row {base}", base, tuple(changes))


def _long(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) > _LONGEST
