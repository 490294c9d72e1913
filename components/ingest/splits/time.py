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

    def __init__(
        self,
        options: Time,
        borders: tuple[int, ...] | None = None,
        blocks: tuple[int, ...] | None = None,
    ) -> None:
        self._options = options
        self._borders = borders or options.borders
        self._blocks = blocks

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        assert self._borders is not None  # given, or found by `informed`
        times = column(batch, self._options.column).to_numpy()
        borders = np.array(self._borders, np.int64)
        split = np.searchsorted(borders, times, side="right")
        later = np.searchsorted(borders, times + self._options.gap_size, side="right")
        return np.where(split == later, split, DROPPED)

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the block of each training row, in the order of time."""
        assert self._blocks is not None  # found by `informed`
        times = column(batch, self._options.column).to_numpy()
        return np.searchsorted(np.array(self._blocks, np.int64), times, side="right")

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The column, if borders of splits or of folds are not known."""
        known = self._borders is not None and (self._blocks or self._options.folds is None)
        return () if known else (self._options.column,)

    def informed(self, seen: Seen) -> Splitter:
        """Return the splitter with borders where the shares say, and those of the folds.

        Raises:
          DataError: the rows have too few different times.
        """
        borders = self._borders
        if borders is None:
            self._require(
                len(SPLITS),
                seen.times,
                "one for each split",
                "split by another column, or by a hash",
            )
            borders = seen.times.borders(self._options.shares, least=1)
        if self._options.folds is None:
            return Splitter(self._options, borders)
        count = self._options.folds
        training = seen.times.below(borders[0] - self._options.gap_size)
        self._require(count, training, "one for each fold", "lower splits.folds", " in train")
        return Splitter(self._options, borders, training.blocks(count, least=1))

    def _require(self, least: int, times: Counted, why: str, remedy: str, of: str = "") -> None:
        if len(times.values) < least:
            raise DataError(
                f"{self._options.column!r} has {len(times.values)} different times{of}",
                where="splits in pipeline.yaml",
                expected=f"at least {least}, {why}",
                remedy=remedy,
            )


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
