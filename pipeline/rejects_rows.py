"""Rejected rows of files with types, read again from their files and written in the same format."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components import files
from components.arrow_files import write_orc
from components.compat import joined_tables
from components.sources.protocol import work_of
from components.sources.rejects import as_json
from components.sources.typed_file import rows_at
from components.sources.typed_rows import plain_rows
from schemas.errors import DataError

FORMATS = ("parquet", "arrow", "orc")


def read(rejects: pa.Table, kind: str) -> pa.Table | None:
    """Return the rows as their files have them; None if a file was removed or has changed.

    Args:
      rejects: as `components.ingest.rejects` keeps them, in the order of their files.
      kind: the format of the files.
    """
    reader = work_of(kind).Reader
    tables = []
    for path in rejects["source"].unique().to_pylist():
        own = rejects.filter(pc.equal(rejects["source"], path))
        try:
            table = rows_at(path, reader, own["line"].to_pylist())
        except DataError:
            return None
        if not are_the_same(table, own):
            return None
        tables.append(table)
    try:
        return joined_tables(tables)
    except pa.ArrowInvalid:  # the files have columns of different types
        return None


def write(rows: pa.Table, kind: str, path: str) -> None:
    """Write rows into a file of a format."""
    with files.whole(path) as partial:
        if kind == "parquet":
            pq.write_table(rows, partial)
        elif kind == "orc":
            write_orc(rows, partial)
        else:
            with pa.OSFile(partial, "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
                writer.write_table(rows)


def records_of(rejects: pa.Table) -> list[bytes]:
    """Return the bytes of each rejected record."""
    columns = (rejects[name].to_pylist() for name in ("record", "raw"))
    return [text.encode() if raw is None else raw for text, raw in zip(*columns, strict=True)]


def are_the_same(rows: pa.Table, rejects: pa.Table) -> bool:
    """Return whether the rows are those that were rejected, by the columns that the run read."""
    kept = [json.loads(record) for record in records_of(rejects)]
    names = list(kept[0])
    if len(kept) != rows.num_rows or not set(names) <= set(rows.column_names):
        return False
    batch = rows.select(names).combine_chunks().to_batches()[0]
    return [json.loads(as_json(row)) for row in plain_rows(batch)] == kept
