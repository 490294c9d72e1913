"""`skewless.load`: a pushed model in this process, which scores columns of raw values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from components.score.columns import as_column
from components.score.scorer import Scorer
from pipeline.scoring import ModelFolder
from schemas.columns import Column
from schemas.errors import DataError

_BATCH_ROWS = 65_536
_ROWS = "the rows to score"


class Predictor:
    """A model in memory; may be called by several threads at once.

    Attributes:
      saved_model: the SavedModel's folder.
      inputs: the raw columns that it takes, by name.
      outputs: Arrow's type of each output, by name.
    """

    def __init__(self, saved_model: str, *, signature: str | None = None) -> None:
        self._scorer = Scorer(saved_model, signature)
        taken = self._scorer.signature
        self.saved_model = saved_model
        self.inputs: tuple[Column, ...] = taken.inputs
        self.outputs: pa.Schema = taken.output_schema

    def predict(self, rows: pa.Table | pa.RecordBatch | Mapping[str, Any]) -> pa.Table:
        """Score rows.

        Args:
          rows: the model's raw columns, and any others; null or None is missing. Columns of a
            mapping are lists, arrays of NumPy or series of pandas. Booleans and times have types of
            their own, or are written as the schema says.

        Returns:
          The outputs, a row for each of `rows`: `score`, `class` and so on.

        Raises:
          DataError: a column is not there, or its values are not of its type.
        """
        if isinstance(rows, pa.RecordBatch):
            rows = pa.Table.from_batches([rows])
        if not isinstance(rows, pa.Table):
            rows = _as_table(rows, self.inputs)
        batches = rows.combine_chunks().to_batches(max_chunksize=_BATCH_ROWS)
        return pa.Table.from_batches([self._scorer.score(b)[0] for b in batches], self.outputs)


def load(
    path: str | os.PathLike[str], *, version: int | None = None, signature: str | None = None
) -> Predictor:
    """Load a pushed model.

    Args:
      path: a run's folder, such as "runs/taxi", a folder of versions, or a SavedModel's; also in a
        store.
      version: its number; None means the newest one.
      signature: one over raw columns; None means `predict`, or `raw_columns` if there is no
        `predict`.

    Raises:
      ConfigError: there is no such folder or version.
      ModelError: the SavedModel does not load, or is not the one that was pushed.
    """
    return Predictor(ModelFolder.of(os.fspath(path)).version(version), signature=signature)


def _as_table(values: Mapping[str, Any], inputs: tuple[Column, ...]) -> pa.Table:
    arrays = {c.name: as_column(values[c.name], c, _ROWS) for c in inputs if c.name in values}
    if len(lengths := {len(array) for array in arrays.values()}) > 1:
        raise DataError(
            "the columns differ in length",
            where=_ROWS,
            expected="a value a row in each column",
            remedy=f"they have {', '.join(map(str, sorted(lengths)))} values",
        )
    return pa.table(arrays)
