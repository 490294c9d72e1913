"""Checks a file or table before its rows are read: its format, its columns' names and types.

A file in another format is identified by its first bytes. A column may be absent, exist twice, or
have a type that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from components import files, list_arrays
from components.sources import lists
from components.sources.magic import HEAD_BYTES, FileKind, is_binary, kind_of
from components.sources.protocol import Selection
from components.sources.typed import fits
from schemas.columns import Column
from schemas.errors import DataError, did_you_mean

_UNEQUAL_LISTS = "Expected all lists to be of size"  # pyarrow 10, of one that is missing


@dataclass(frozen=True)
class TypedFormat:
    """A format of files that have their columns' types.

    Attributes:
      name: for "not …".
      file: for "expected: …".
      kinds: what the first bytes of such files are recognized as.
      endings: of their names.
    """

    name: str
    file: str
    kinds: tuple[FileKind, ...]
    endings: tuple[str, ...]


def check_columns(
    schema: pa.Schema,
    selection: Selection,
    *,
    where: str,
    what: str = "file",
    sql_names: Mapping[str, str] = MappingProxyType({}),
    has_fields: bool = True,
) -> None:
    """Check that a file or table has each column once, with a type that fits.

    Args:
      schema: its columns' names and types.
      selection: the selected columns; keys may have any type.
      where: the file, or the table's URL.
      what: which of the two it is.
      sql_names: the names of types in a database's SQL that differ from those of `ColumnType.sql`.
      has_fields: whether a column's name may lead to a field of a struct.

    Raises:
      DataError: it has not; names the column, its type and a remedy.
    """
    for column in selection.columns:
        arrow = _only(schema, column.name, where, what)
        if not (lists.fits(arrow, column) if column.is_list else fits(arrow, column)):
            of_lists = "lists of " if column.is_list else ""
            raise DataError(
                f"the column {column.name!r} is {arrow}",
                where=where,
                expected=f"{of_lists}{column.type.parquet}: the column is {column.type.written}"
                + (f" with value_count {{ max: {column.most} }}" if column.is_list else ""),
                remedy=_remedy(arrow, column, sql_names, has_fields=has_fields),
            )
    for key in selection.keys:
        _only(schema, key.name, where, what)


def _only(schema: pa.Schema, name: str, where: str, what: str) -> pa.DataType:
    """Return the type of the only column of this name."""
    positions = schema.get_all_field_indices(name)
    if len(positions) == 1:
        return schema.field(positions[0]).type
    if positions:
        raise DataError(
            f"the {what} has the column {name!r} {len(positions)} times",
            where=where,
            expected="each column that is read once",
            remedy="rename or drop all but one of them",
        )
    raise DataError(
        f"the {what} has no column {name!r}; {did_you_mean(name, schema.names)}",
        where=where,
        expected=f"{name} among the {what}'s columns, which are: {', '.join(schema.names)}",
        remedy=f"correct the {what}, or the name of the column",
    )


def _remedy(
    arrow: pa.DataType, column: Column, sql_names: Mapping[str, str], *, has_fields: bool
) -> str:
    """Return what to do about a column whose type does not fit."""
    written = column.type.parquet
    if column.is_list:
        return (
            f"write a list for each row, of {written}, or remove the value_count of"
            f" {column.name!r} from schema.pbtxt if the file has one value a row"
        )
    if list_arrays.is_list(arrow):
        return (
            f"write value_count {{ max: … }} for {column.name!r} in schema.pbtxt if it is a list,"
            f" or one value for each row, as {written}"
        )
    if pa.types.is_struct(arrow) and arrow.num_fields:
        field = f"{column.name}.{arrow[0].name}"
        if has_fields:
            return f"name a field of it, such as {field}"
        return f"give source.query a column of a field of it: {field} AS {arrow[0].name}"
    if pa.types.is_nested(arrow):
        return f"write one value for each row, as {written}"
    sql = sql_names.get(column.type.sql, column.type.sql)
    cast = f"write the column as {written}: CAST({column.name} AS {sql})"
    if pa.types.is_timestamp(arrow) or pa.types.is_date(arrow):
        return f"declare the column a time in schema.pbtxt: time_domain; or {cast}"
    if pa.types.is_boolean(arrow):
        return f"declare the column a boolean in schema.pbtxt: bool_domain; or {cast}"
    return cast


def unreadable(path: str, error: Exception, expected: TypedFormat) -> DataError:
    """Return the error for a file that cannot be read as one of a format."""
    reason = "it asks for more memory than there is" if isinstance(error, MemoryError) else error
    what, remedy = f"the source cannot be read: {reason}", None
    if files.is_file(path):
        with files.open_read(path) as file:
            head = file.read(HEAD_BYTES)
        kind = kind_of(head)
        if not head:
            what = "the file is empty"
        elif _UNEQUAL_LISTS in str(error):
            what = f"pyarrow {pa.__version__} cannot read lists of a fixed length that are missing"
            remedy = "write the column as lists of any length, such as list<float>"
        elif kind in expected.kinds:
            remedy = "the file is damaged or incomplete: copy it again"
        elif kind is not None:
            what, remedy = f"the file is {kind.name}, not {expected.name}", kind.remedy
        elif not is_binary(head):
            ending = next((each for each in expected.endings if path.endswith(each)), None)
            named = " as its name says" if ending else ""
            what = f"the file is text, not {expected.name}{named}"
            remedy = (
                "for CSV, set source.format: csv in pipeline.yaml; `skewless predict` reads it if"
                f" its name does not end in {ending or expected.endings[0]}"
            )
    return DataError(what, where=path, expected=expected.file, remedy=remedy)
