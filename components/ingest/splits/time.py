"""A split by time, with borders that are given or found from the shares."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.splits import protocol
from components.ingest.splits.counted import Counted
from components.ingest.splits.protocol import DROPPED
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.splits.time import Time
from schemas.strict import Strict


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
        count = len(seen.times.values)
        if count < len(SPLITS):
            raise DataError(
                f"{self._options.column!r} has {count} different times",
                where="splits in pipeline.yaml",
                expected="at least three, one for each split",
                remedy="split by another column, or by a hash",
            )
        return Splitter(self._options, seen.times.borders(self._options.shares, least=1))


class Seen(Strict):
    """How many rows have which time."""

    times: Counted = Counted()

    @classmethod
    def of(cls, batch: pa.RecordBatch, options: Time) -> Seen:
        """Return the times of a batch with the split's column."""
        return cls(times=Counted.of(column(batch, options.column).drop_null().to_numpy()))

    @classmethod
    def add(cls, parts: Iterable[Seen]) -> Seen:
        """Return the sum, which depends neither on order nor on grouping."""
        return cls(times=Counted.add(part.times for part in parts))
