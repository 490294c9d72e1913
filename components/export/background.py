"""The background of a SavedModel: training rows that a row is compared with to explain its answer.

They are raw rows as examples hold them, in a Parquet file of the SavedModel's folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pyarrow as pa

from components import files
from components.arrow_files import open_parquet
from components.examples import ShardWriter
from components.ingest.samples import sample
from schemas.columns import Column
from schemas.errors import ModelError

FILE = os.path.join("assets.extra", "background.parquet")
ROWS = 100


def write(saved_model: str, examples: str, columns: Sequence[Column]) -> None:
    """Write a repeatable sample of the training split into a SavedModel's folder on this machine.

    Args:
      saved_model: the folder.
      examples: folder of examples; without training rows no file is written.
      columns: the raw columns that a request contains.
    """
    rows = sample(examples, "train", [column.name for column in columns], ROWS)
    if rows is not None:
        with ShardWriter(os.path.join(saved_model, FILE), rows.schema, batch_rows=ROWS) as file:
            file.write(rows)


def read(saved_model: str) -> pa.RecordBatch:
    """Return the rows of a SavedModel's background.

    Raises:
      ModelError: the SavedModel has none, as it was exported before there were any.
    """
    path = os.path.join(saved_model, FILE)
    if not files.is_file(path):
        raise ModelError(
            "the model has no training rows to compare a row with",
            where=path,
            expected="the file that an export writes",
            remedy="run the pipeline again, which exports and pushes a new version",
        )
    (batch,) = open_parquet(path).read().combine_chunks().to_batches()
    return batch
