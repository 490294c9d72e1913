"""A split by the names of files."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.hashing import hash_rows
from components.ingest.splits import protocol
from components.ingest.splits.hash import assign, folds
from schemas.splits.file import FileSplit
from schemas.splits.options import SPLITS

_TRAIN, _EVAL, _TEST = range(len(SPLITS))


class Splitter(protocol.Splitter):
    """Matches a file's name with the patterns; hashes the rows of train if none are of eval."""

    def __init__(self, options: FileSplit) -> None:
        self._options = options

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split."""
        split, key = self._of(path), self._options.key
        if split != _TRAIN or self._options.eval:
            return np.full(batch.num_rows, split)
        shares = (1 - self._options.eval_share, self._options.eval_share, 0.0)
        return assign(hash_rows(column(batch, name) for name in key), shares)

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the fold of each training row by its key."""
        return folds(batch, self._options.key, self._options.folds or 1)

    def _of(self, path: str) -> int:
        name = os.path.basename(path)
        for split, patterns in ((_TEST, self._options.test), (_EVAL, self._options.eval)):
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return split
        return _TRAIN
