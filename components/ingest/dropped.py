"""Files of rows that `prepare` drops: Parquet with the rule, the place and the row of each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components import files
from components.examples import ShardWriter, arrow_schema
from schemas.columns import Column

FOLDER = "dropped"
_BATCH_ROWS = 65_536


def dropped_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of such files: rule, source and line, and the row as a struct.

    Source and line are null for rows of the training split that a rule for training rows drops.
    """
    return pa.schema(
        [
            pa.field("rule", pa.string()),
            pa.field("source", pa.string()),
            pa.field("line", pa.int64()),
            pa.field("row", pa.struct(list(arrow_schema(columns)))),
        ]
    )


class DroppedWriter:
    """Writes the dropped rows of a part or of a shard, if there are any; a context manager.

    The file has a new name each time, so that the file of a failed attempt is never read.

    Attributes:
      path: the Parquet file, None until there are rows.
    """

    def __init__(self, folder: str, columns: Sequence[Column]) -> None:
        self._folder, self._columns = folder, tuple(columns)
        self._schema = dropped_schema(columns)
        self._writer: ShardWriter | None = None
        self.path: str | None = None

    def write(
        self,
        rule: str,
        rows: pa.RecordBatch,
        *,
        source: str | None = None,
        places: np.ndarray | None = None,
    ) -> None:
        """Append rows that a rule drops, with the columns of examples.

        Args:
          rule: its name.
          rows: the rows.
          source: their file; None if it is not known.
          places: int64 of shape [rows], their positions in it.
        """
        if self._writer is None:
            self.path = os.path.join(self._folder, f"{uuid.uuid4().hex}.parquet")
            self._writer = ShardWriter(self.path, self._schema, batch_rows=_BATCH_ROWS)
        count, own = rows.num_rows, [column.name for column in self._columns]
        arrays = [rows.column(rows.schema.get_field_index(name)) for name in own]
        batch = [
            pa.array([rule] * count, pa.string()),
            pa.array([source] * count, pa.string()),
            pa.nulls(count, pa.int64()) if places is None else pa.array(places, pa.int64()),
            pa.StructArray.from_arrays(arrays, fields=list(arrow_schema(self._columns))),
        ]
        self._writer.write(pa.RecordBatch.from_arrays(batch, schema=self._schema))

    def __enter__(self) -> DroppedWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, *rest)


def publish_dropped(kept: Sequence[str], root: str) -> None:
    """Move files of dropped rows to the examples' folder `root`."""
    for number, path in enumerate(kept):
        name = f"dropped-{number:05d}-of-{len(kept):05d}.parquet"
        files.move(path, os.path.join(root, FOLDER, name))
