"""Files of rejected records: Parquet with a row for each record; see `sources.rejects`.

A record whose text is cut there, or is not UTF-8, is kept whole in the column `raw`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components import files
from components.examples import ShardWriter
from components.sources.rejects import SCHEMA, Reject, as_batch

FOLDER = "rejects"
KEPT = SCHEMA.append(pa.field("raw", pa.binary()))
_BATCH_ROWS = 65_536


class RejectWriter:
    """Writes one source file's rejects, if there are any; a context manager.

    The file has a new name each time, so that the file of a failed attempt is never read.

    Attributes:
      path: the Parquet file, None until there are rejects.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._writer: ShardWriter | None = None
        self.path: str | None = None

    def write(self, rejects: Sequence[Reject]) -> None:
        """Append rejects."""
        if not rejects:
            return
        if self._writer is None:
            self.path = os.path.join(self._folder, f"{uuid.uuid4().hex}.parquet")
            self._writer = ShardWriter(self.path, KEPT, batch_rows=_BATCH_ROWS)
        raw = pa.array([reject.raw for reject in rejects], pa.binary())
        arrays = [*as_batch(rejects).columns, raw]
        self._writer.write(pa.RecordBatch.from_arrays(arrays, schema=KEPT))

    def __enter__(self) -> RejectWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, *rest)


def publish_rejects(kept: Sequence[str], root: str) -> None:
    """Move files of rejects to the examples' folder `root`; write an empty one if none."""
    names = [f"rejects-{i:05d}-of-{max(1, len(kept)):05d}.parquet" for i in range(len(kept) or 1)]
    paths = [os.path.join(root, FOLDER, name) for name in names]
    if not kept:
        with ShardWriter(paths[0], KEPT, batch_rows=_BATCH_ROWS):
            return
    for file, path in zip(kept, paths, strict=True):
        files.move(file, path)


def with_values(rejects: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    """Return the rejects that have one of these values in a column of their files."""
    return rejects.filter(pc.is_in(rejects[column], value_set=pa.array(values, pa.string())))
