"""A split that holds the shares within each stratum."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
from pydantic import Field

from components.examples import column
from components.ingest.hashing import hash_rows
from components.ingest.splits import protocol
from components.ingest.splits.counted import Counted
from schemas.errors import DataError
from schemas.splits.stratified import Stratified
from schemas.strict import Strict

_MOST_STRATA = 1_000


class Splitter(protocol.Splitter):
    """Compares the hash of each row's key with the borders of its stratum."""

    def __init__(
        self,
        options: Stratified,
        borders: Mapping[str, tuple[int, ...]] | None = None,
        blocks: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self._options = options
        self._borders = borders
        self._blocks = blocks

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        assert self._borders is not None  # found by `informed`
        names, strata = _strata(batch, self._options)
        borders = np.array([self._borders[name] for name in names], np.int64).reshape(-1, 2)
        return (_places(batch, self._options)[:, np.newaxis] >= borders[strata]).sum(axis=1)

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the fold of each training row: a block of its stratum's hashes.

        Each stratum numbers its blocks from another fold on, so that strata of a few rows are
        spread over the folds.
        """
        assert self._blocks is not None  # found by `informed`
        names, strata = _strata(batch, self._options)
        places, count = _places(batch, self._options), self._options.folds or 1
        blocks = np.array([self._blocks[name] for name in names], np.int64).reshape(-1, count - 1)
        folds = np.array([zlib.crc32(name.encode()) for name in names], np.int64)[strata]
        for number in range(count - 1):  # one at a time: rows times folds may not fit in memory
            folds += places >= blocks[strata, number]
        return folds % count

    @property
    def looks_at(self) -> tuple[str, ...]:
        """All columns that decide, until the borders are known."""
        return () if self._borders is not None else self._options.columns

    def informed(self, seen: Seen) -> Splitter:
        """Return the splitter with the borders of each stratum.

        Raises:
          DataError: there are too many strata.
        """
        if len(seen.strata) > _MOST_STRATA:
            names = ", ".join(self._options.strata)
            raise DataError(
                f"{names} have more than {_MOST_STRATA:,} different values",
                where="splits.strata in pipeline.yaml",
                expected="columns with few values, such as the classes of the label",
                remedy="name another column, or split by a hash",
            )
        shares, count = self._options.shares, self._options.folds
        borders = {name: hashes.borders(shares) for name, hashes in seen.strata.items()}
        if count is None:
            return Splitter(self._options, borders)
        blocks = {n: h.below(borders[n][0]).blocks(count) for n, h in seen.strata.items()}
        return Splitter(self._options, borders, blocks)


class Seen(Strict):
    """How many rows of each stratum have which hash."""

    strata: dict[str, Counted] = Field(default_factory=dict)

    @classmethod
    def of(cls, batch: pa.RecordBatch, options: Stratified) -> Seen:
        """Return what rows of a batch with the split's columns have."""
        names, strata = _strata(batch, options)
        places = _places(batch, options)
        return cls(strata={n: Counted.of(places[strata == i]) for i, n in enumerate(names)})

    @classmethod
    def add(cls, parts: Iterable[Seen]) -> Seen:
        """Return the sum, which depends neither on order nor on grouping."""
        strata: dict[str, list[Counted]] = {}
        for part in parts:
            for name, counted in part.strata.items():
                strata.setdefault(name, []).append(counted)
        some = sorted(strata)[: _MOST_STRATA + 1]  # one too many is an error
        return cls(strata={name: Counted.add(strata[name]) for name in some})


def _strata(batch: pa.RecordBatch, options: Stratified) -> tuple[list[str], np.ndarray]:
    """Return the names of the strata in a batch, and the number of each row's."""
    columns = [column(batch, name).dictionary_encode() for name in options.strata]
    codes = np.zeros(batch.num_rows, np.int64)
    for each in columns:
        missing = len(each.dictionary)
        codes = codes * (missing + 1) + each.indices.fill_null(missing).to_numpy()
    _, first, strata = np.unique(codes, return_index=True, return_inverse=True)
    values = [each.take(pa.array(first)).to_pylist() for each in columns]
    return [json.dumps(row) for row in zip(*values, strict=True)], strata.reshape(-1)


def _places(batch: pa.RecordBatch, options: Stratified) -> np.ndarray:
    """Return the hash of each row's key as an int64 that is not negative."""
    hashes = hash_rows(column(batch, name) for name in options.key)
    return (hashes >> np.uint64(1)).view(np.int64)
