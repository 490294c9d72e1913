"""The background of a SavedModel: training rows that a row is compared with to explain its answer.

They are raw rows as examples hold them, in a Parquet file of the SavedModel's folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pyarrow as pa

from components import files
from components.arrow_files import parse_parquet
from components.examples import ShardWriter
from components.ingest.samples import sample
from schemas.columns import Column

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


def read_bytes(saved_model: str) -> bytes | None:
    """Return the file in a SavedModel's folder; None if it was exported before there was one."""
    path = os.path.join(saved_model, FILE)
    return files.read_bytes(path) if files.is_file(path) else None


def parse(content: bytes) -> pa.RecordBatch:
    """Return the rows of the file."""
    (batch,) = parse_parquet(content, FILE).combine_chunks().to_batches()
    return batch
