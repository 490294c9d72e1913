"""A table that nobody has described: its files, format and columns, and a look at its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from components import files
from components.compat import joined_tables
from components.profile.values import ColumnValues
from components.sources.partitions import partition_of
from components.sources.protocol import Selection, open_reader, work_of
from components.sources.source_files import source_files
from components.sources.source_folders import source_in
from schemas.columns import SPACES
from schemas.errors import DataError
from schemas.sources import of_query, plain
from schemas.sources.options import FileOptions, SourceOptions

MOST_ROWS = 100_000
_MOST_FILES = 8


@dataclass(frozen=True)
class Table:
    """A look at a table.

    Attributes:
      source: how it is read, with the options that its files need.
      columns: their values in the rows that were looked at.
      files: how many files there are; 1 for a table of a database.
      whole: whether all rows were looked at.
      repeated: names that several columns have, which are left out.
      unread: names of columns whose type no column can have, such as a union.
    """

    source: SourceOptions
    columns: tuple[ColumnValues, ...]
    files: int
    whole: bool
    repeated: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return self.columns[0].rows if self.columns else 0


def look(path: str, *, named: str, query: str | None = None, rows: int = MOST_ROWS) -> Table:
    """Look at a table's first rows, in up to eight of its files.

    Args:
      path: the file, folder or pattern, for opening, or the table's URL.
      named: the same as the user wrote it.
      query: whose result is the table; `path` is then the database's URL.
      rows: how many at most.

    Raises:
      DataError: there is no file, one cannot be read, or there are no rows.
    """
    source, folder = plain(path) if query is None else of_query(path, query), None
    paths = list(source.paths)
    if isinstance(source, FileOptions):
        paths, source, folder = _in_files(path, named)
    module = work_of(source.format)
    chosen = paths[:: -(-len(paths) // _MOST_FILES)]
    parts: list[pa.Table] = []
    whole = len(chosen) == len(paths)
    for each in chosen:
        part, ended = module.sample(source, each, -(-rows // len(chosen)))
        parts.append(part)
        whole = whole and ended
    keys: tuple[str, ...] = ()
    if folder is not None and folder.partitions is not None:
        keys = tuple(partition_of(paths[0]))
        parts = [_with_keys(part, each) for part, each in zip(parts, chosen, strict=True)]
    table = joined_tables(parts)
    if not table.num_rows:
        raise DataError(
            "the table has no rows", where=named, expected="rows below a header with names"
        )
    columns = [
        ColumnValues(name, _plain(table[name]), module.HAS_TYPES and name not in keys)
        for name in table.column_names
    ]
    trimmed = [_trimmed(column) for column in columns]
    spaced = not module.HAS_TYPES and any(c.name != c.name.strip(SPACES) for c in trimmed)
    if spaced or any(each is not column for each, column in zip(trimmed, columns, strict=True)):
        source = source.model_copy(update={"trim": True})
    if spaced:
        trimmed = [replace(column, name=column.name.strip(SPACES)) for column in trimmed]
    # the empty text means missing, in files with types, too
    known = tuple(column.without([""]) for column in trimmed)
    counted = _names(source, paths[0])
    repeated = tuple(name for name, times in counted.items() if times > 1)
    unread: tuple[str, ...] = ()
    if module.HAS_TYPES:
        # of an object in JSON, the columns are what is in it
        outer = {name.partition(".")[0] for name in table.column_names}
        unread = tuple(n for n in counted if n not in {*table.column_names, *repeated, *outer})
    return Table(source, known, len(paths), whole, repeated, unread)


def _names(source: SourceOptions, path: str) -> Mapping[str, int]:
    """Return the names of a file's columns, each with how many columns have it."""
    if not isinstance(source, FileOptions):
        return {}
    parts = open_reader(source, Selection(())).parts(path)
    return Counter(name for part in parts[:1] for name in part.ignored if name)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of a table as one array, without a dictionary."""
    array = column.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _with_keys(table: pa.Table, path: str) -> pa.Table:
    """Return a file's rows with the partition keys of its path as columns of text."""
    for key, value in partition_of(path).items():
        values = pa.array([value], pa.string()).take(pa.array([0] * table.num_rows, pa.int64()))
        table = table.append_column(key, values)
    return table


def _in_files(path: str, named: str) -> tuple[list[str], SourceOptions, FileOptions | None]:
    """Return a table's files, how they are read, and how their folder is, if it is one."""
    folder = source_in(path) if files.names(path) else None
    paths = source_files(path, named=named, source=folder)
    source = work_of(plain(paths[0]).format).draft(paths[0])
    source = source.model_copy(update={"path": named})
    if folder is not None:
        source = source.model_copy(update={"partitions": folder.partitions})
    return paths, source, folder


def _trimmed(column: ColumnValues) -> ColumnValues:
    """Return a column of texts without the spaces around its values, itself if there are none."""
    if not column.is_text:
        return column
    trimmed = pc.ascii_trim(column.array, characters=SPACES)
    return column if trimmed.equals(column.array) else replace(column, array=trimmed)
