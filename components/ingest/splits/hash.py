"""A split by a hash of key columns: rows with equal keys share a split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.hashing import hash_rows
from components.ingest.splits import protocol
from schemas.splits.hash import Hash


class Splitter(protocol.Splitter):
    """Treats the hash of a row's key as a number in [0, 1): below `train` is train, and so on."""

    def __init__(self, options: Hash) -> None:
        self._key = options.key
        self._shares = options.shares

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        return assign(hash_rows(column(batch, name) for name in self._key), self._shares)


def assign(hashes: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return the split of each hash, uint64 of shape [rows], as an index into the shares."""
    fractions = (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53  # 53 bits: exact
    return np.searchsorted(np.cumsum(shares)[:-1], fractions, side="right")
