"""A split by the values of a column of the table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from components.examples import column
from components.ingest.splits import hash as by_hash
from components.ingest.splits import protocol
from components.ingest.splits.protocol import DROPPED
from schemas.errors import DataError, did_you_mean
from schemas.splits.column import ColumnSplit


class Splitter(protocol.Splitter):
    """Looks each value up."""

    DROPS = "splits.ignore"

    def __init__(self, options: ColumnSplit) -> None:
        self._options = options
        self._column = options.column
        self._split = {
            value: split for split, values in enumerate(options.values) for value in values
        } | dict.fromkeys(options.ignore, DROPPED)

    def assign(self, batch: pa.RecordBatch, path: str) -> np.ndarray:
        """Return each row's split.

        Raises:
          DataError: a value is not one of those in pipeline.yaml.
        """
        encoded = column(batch, self._column).dictionary_encode()
        splits = [self._of(str(value)) for value in encoded.dictionary.to_pylist()]
        return np.array(splits, np.int64)[encoded.indices.to_numpy()]

    def folds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the fold of each training row by its key."""
        return by_hash.folds(batch, self._options.key, self._options.folds or 1)

    def _of(self, value: str) -> int:
        if value not in self._split:
            raise DataError(
                f"{self._column!r} has the value {value!r}, which is in no split;"
                f" {did_you_mean(value, self._split)}",
                where="splits in pipeline.yaml",
                expected=f"one of: {', '.join(self._split)}",
                remedy="add it to splits.train, eval, test or ignore",
            )
        return self._split[value]
