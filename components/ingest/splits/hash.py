"""A split by a hash of key columns: rows with equal keys share a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.hashing import hash_rows, mix
from components.ingest.splits import protocol
from schemas.splits.hash import Hash

_FOLDS = np.uint64(0xBE5466CF34E90C6C)  # digits of pi, as in `hashing`


class Splitter(protocol.Splitter):
    """Treats the hash of a row's key as a number in [0, 1): below `train` is train, and so on."""

    def __init__(self, options: Hash) -> None:
        self._key = options.key
        self._shares = options.shares
        self._folds = options.folds or 1

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        return assign(hash_rows(column(batch, name) for name in self._key), self._shares)

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the fold of each training row; rows with equal keys share one."""
        return folds(batch, self._key, self._folds)


def assign(hashes: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return the split of each hash, uint64 of shape [rows], as an index into the shares."""
    return np.searchsorted(np.cumsum(shares)[:-1], _fractions(hashes), side="right")


def folds(batch: pa.RecordBatch, key: Sequence[str], count: int) -> np.ndarray:
    """Return one of `count` folds for each row, int64 [rows], by a hash of its key.

    It is a hash of the hash that decides the split, whose own bits are not random within a split.
    """
    hashes = mix(hash_rows(column(batch, name) for name in key) ^ _FOLDS)
    return (_fractions(hashes) * count).astype(np.int64)


def _fractions(hashes: np.ndarray) -> np.ndarray:
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53  # 53 bits: exact
