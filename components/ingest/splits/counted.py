"""Counts of integers by value, to some granularity: what a split has seen of all rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from schemas.strict import Strict

MOST = 1 << 16  # different values that are counted


class Counted(Strict):
    """How many rows have which value.

    Attributes:
      shift: values are counted together if they are equal without their last `shift` bits.
      values: the different values without these bits, ascending.
      rows: how many rows have each.
    """

    shift: int = 0
    values: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: np.ndarray) -> Counted:
        """Return the counts of int64 values, [rows]."""
        return _coarse(0, values, None)

    @classmethod
    def add(cls, parts: Iterable[Counted]) -> Counted:
        """Return the sum, which depends neither on order nor on grouping."""
        parts = list(parts)
        shift = max((part.shift for part in parts), default=0)
        values = [np.array(part.values, np.int64) >> (shift - part.shift) for part in parts]
        rows = [np.array(part.rows, np.int64) for part in parts]
        empty = np.zeros(0, np.int64)
        return _coarse(shift, np.concatenate([empty, *values]), np.concatenate([empty, *rows]))

    def borders(self, shares: Sequence[float], *, least: int = 0) -> tuple[int, ...]:
        """Return the first value of each part but the first.

        Args:
          shares: the wanted shares of the rows, of each part.
          least: how many different values each part has at least; there have to be as many.
        """
        before = np.concatenate([[0], np.cumsum(self.rows)])
        ends = [value << self.shift for value in self.values] + [np.iinfo(np.int64).max]
        found, at, parts = [], 0, len(shares)
        for number, wanted in enumerate(np.cumsum(shares)[:-1] * before[-1], start=1):
            last = len(self.values) - (parts - number) * least
            at = int(np.clip(np.abs(before - wanted).argmin(), at + least, last))
            found.append(ends[at])
        return tuple(found)

    def below(self, limit: int) -> Counted:
        """Return the counts of the values below a limit."""
        kept = [i for i, value in enumerate(self.values) if value << self.shift < limit]
        return Counted(
            shift=self.shift,
            values=tuple(self.values[i] for i in kept),
            rows=tuple(self.rows[i] for i in kept),
        )

    def blocks(self, count: int, *, least: int = 0) -> tuple[int, ...]:
        """Return the first value of each of `count` blocks of about as many rows, but the first."""
        return self.borders([1 / count] * count, least=least)


def _coarse(shift: int, values: np.ndarray, rows: np.ndarray | None) -> Counted:
    """Count values, with as few bits less as needed for `MOST` different ones."""
    while True:
        distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        if len(distinct) <= MOST:
            break
        values, shift = values >> 1, shift + 1
    if rows is not None:
        counts = np.bincount(places.reshape(-1), weights=rows, minlength=len(distinct))
    return Counted(
        shift=shift,
        values=tuple(distinct.tolist()),
        rows=tuple(counts.astype(np.int64).tolist()),
    )
