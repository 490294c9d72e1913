"""A split by time, with borders that are given or found from the shares."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.splits import protocol
from components.ingest.splits.protocol import DROPPED
from schemas.errors import DataError
from schemas.splits.time import Time
from schemas.strict import Strict

_MOST = 1 << 16  # different times that are counted


class Splitter(protocol.Splitter):
    """Compares each row's time with the borders."""

    DROPS = "splits.gap"

    def __init__(self, options: Time, borders: tuple[int, int] | None = None) -> None:
        self._options = options
        self._borders = borders or options.borders

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        assert self._borders is not None  # given, or found by `informed`
        times = column(batch, self._options.column).to_numpy()
        borders = np.array(self._borders, np.int64)
        split = np.searchsorted(borders, times, side="right")
        later = np.searchsorted(borders, times + self._options.gap_size, side="right")
        return np.where(split == later, split, DROPPED)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The column, if the borders are not known."""
        return () if self._borders is not None else (self._options.column,)

    def informed(self, seen: Seen) -> Splitter:
        """Return the splitter with borders where the shares say.

        Raises:
          DataError: the rows have too few different times.
        """
        return Splitter(self._options, seen.borders(self._options))


class Seen(Strict):
    """How many rows have which time, to some granularity.

    Attributes:
      shift: times are counted together if they are equal without their last `shift` bits.
      times: the different times without these bits, ascending.
      rows: how many rows have each.
    """

    shift: int = 0
    times: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> Seen:
        """Return the times of the only column of a batch."""
        return _coarse(0, batch.column(0).drop_null().to_numpy(), None)

    @classmethod
    def add(cls, parts: Iterable[Seen]) -> Seen:
        """Return the sum, which depends neither on order nor on grouping."""
        parts = list(parts)
        shift = max((part.shift for part in parts), default=0)
        times = [np.array(part.times, np.int64) >> (shift - part.shift) for part in parts]
        rows = [np.array(part.rows, np.int64) for part in parts]
        empty = np.zeros(0, np.int64)
        return _coarse(shift, np.concatenate([empty, *times]), np.concatenate([empty, *rows]))

    def borders(self, options: Time) -> tuple[int, int]:
        """Return the first time of eval and of test.

        Raises:
          DataError: there are fewer than three different times.
        """
        if len(self.times) < 3:
            raise DataError(
                f"{options.column!r} has {len(self.times)} different times",
                where="splits in pipeline.yaml",
                expected="at least three, one for each split",
                remedy="split by another column, or by a hash",
            )
        shares = np.cumsum(options.shares)[:2]
        before = np.concatenate([[0], np.cumsum(self.rows)[:-1]]) / sum(self.rows)
        last = len(self.times) - 1
        first = int(np.clip(np.abs(before - shares[0]).argmin(), 1, last - 1))
        second = int(np.clip(np.abs(before - shares[1]).argmin(), first + 1, last))
        return self.times[first] << self.shift, self.times[second] << self.shift


def _coarse(shift: int, times: np.ndarray, rows: np.ndarray | None) -> Seen:
    """Count times, with as few bits less as needed for `_MOST` different ones."""
    while True:
        distinct, places, counts = np.unique(times, return_inverse=True, return_counts=True)
        if len(distinct) <= _MOST:
            break
        times, shift = times >> 1, shift + 1
    if rows is not None:
        counts = np.bincount(places.reshape(-1), weights=rows, minlength=len(distinct))
    return Seen(
        shift=shift,
        times=tuple(distinct.tolist()),
        rows=tuple(counts.astype(np.int64).tolist()),
    )
