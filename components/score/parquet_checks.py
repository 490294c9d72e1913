"""What is wrong with a Parquet file, said before a row is read: its kind, a column's name or type.

A file that is not a Parquet file is named by its first bytes. A column may be absent, there twice,
or of a type that the model or the output does not take.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from components import files
from components.ingest.magic import HEAD_BYTES, PARQUET, is_binary, kind_of
from components.score.formats import Format
from components.score.sinks import can_hold
from components.score.typed import fits
from schemas.columns import Column
from schemas.errors import DataError, did_you_mean

_WRITTEN_AS = {
    "INT": ("whole numbers", "BIGINT"),
    "FLOAT": ("floats or doubles", "DOUBLE"),
    "BYTES": ("text", "VARCHAR"),
}


def check(
    schema: pa.Schema, inputs: Iterable[Column], keys: Iterable[str], kind: Format, *, where: str
) -> None:
    """Check that a file has each column once, and of a type that can be used.

    Args:
      schema: the file's.
      inputs: the columns that the model takes.
      keys: the columns that are copied to the output.
      kind: the output's format.
      where: the file.

    Raises:
      DataError: it has not; names the column, its type and what to do.
    """
    for column in inputs:
        arrow = _only(schema, column.name, where)
        if not fits(arrow, column.kind):
            written = _WRITTEN_AS[column.kind][0]
            raise DataError(
                f"the column {column.name!r} is {arrow}",
                where=where,
                expected=f"{written}: the model takes the column as {column.kind}",
                remedy=_remedy(arrow, column),
            )
    for key in keys:
        arrow = _only(schema, key, where)
        if not can_hold(kind, arrow):
            raise DataError(
                f"the key {key!r} is {arrow}, which {kind} output cannot hold",
                where=where,
                expected="a key of text, numbers, booleans, dates or times",
                remedy=f"write scores as Parquet, or the key as text: CAST({key} AS VARCHAR)",
            )


def _only(schema: pa.Schema, name: str, where: str) -> pa.DataType:
    """Return the type of the one column of this name."""
    positions = schema.get_all_field_indices(name)
    if len(positions) == 1:
        return schema.field(positions[0]).type
    if positions:
        raise DataError(
            f"the file has the column {name!r} {len(positions)} times",
            where=where,
            expected="each column that the model takes, and each key, once",
            remedy="rename or drop all but one of them",
        )
    raise DataError(
        f"the file has no column {name!r}; {did_you_mean(name, schema.names)}",
        where=where,
        expected="each column that the model takes, and each key",
    )


def _remedy(arrow: pa.DataType, column: Column) -> str:
    """Return what to do about a column whose type does not fit."""
    written, sql = _WRITTEN_AS[column.kind]
    if pa.types.is_nested(arrow):
        return f"write one value for each row, as {written}"
    if pa.types.is_temporal(arrow):
        return f"write what training had in the column, as {written}" + (
            "" if column.kind == "BYTES" else ", such as seconds since 1970"
        )
    return f"write the column as {written}: CAST({column.name} AS {sql})"


def unreadable(path: str, error: Exception) -> DataError:
    """Return what is wrong with a file that pyarrow does not read as Parquet."""
    what, remedy = f"the source cannot be read: {error}", None
    if files.is_file(path):
        with files.open_read(path) as file:
            head = file.read(HEAD_BYTES)
        found = kind_of(head)
        if not head:
            what = "the file is empty"
        elif found is PARQUET:
            remedy = "the file is damaged, or was not copied to its end: copy it again"
        elif found is not None:
            what, remedy = f"the file is {found.name}, not Parquet", found.remedy
        elif not is_binary(head):
            what = "the file is text, not Parquet as its name says"
            remedy = "rename it so that it does not end in .parquet: then it is read as CSV"
    return DataError(what, where=path, expected="a readable Parquet file", remedy=remedy)
