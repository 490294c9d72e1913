"""Reads files whose columns have types into blocks of typed rows; places are row numbers, from 1.

A format only opens a file and yields its record batches. A column of the file must have a type that
fits, which its schema shows before any row is read.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from components.sources import nested
from components.sources.protocol import Block
from components.sources.typed_checks import TypedFormat, check_columns, unreadable
from components.sources.typed_rows import BATCH_ROWS, TypedPart, TypedRows

# What damaged files lead to; MemoryError, because a length that is wrong may be any.
FAILURES = (OSError, pa.ArrowException, UnicodeDecodeError, MemoryError)


class FileSize(NamedTuple):
    """The approximate size of some columns of a file: rows, and uncompressed bytes."""

    rows: float
    text_bytes: float


class TypedFile(Protocol):
    """An open file with types; its methods raise one of `FAILURES` if it is damaged."""

    @property
    def schema(self) -> pa.Schema:
        """The columns' names and types."""
        ...

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the size of these columns."""
        ...

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns, in the file's order, about so many rows at a time or more."""
        ...


class TypedReader(TypedRows[TypedPart]):
    """Reads files of a format; a subclass says how one is opened.

    Attributes:
      format: the format, for errors.
    """

    format: ClassVar[TypedFormat]

    @classmethod
    @abc.abstractmethod
    def opened(cls, path: str) -> TypedFile:
        """Open a file, of which only the schema is read.

        Raises:
          FAILURES: it has another format, or is damaged.
        """

    @classmethod
    def open(cls, path: str) -> TypedFile:
        """Open a file; raises a DataError that says what is wrong with it."""
        try:
            file = cls.opened(path)
            list(file.schema.names)  # which may not be UTF-8
        except FAILURES as error:
            raise unreadable(path, error, cls.format) from error
        return file

    def check(self, path: str) -> None:
        """Check that a file has this format, by its schema."""
        self.open(path)

    def parts(self, path: str) -> list[TypedPart]:
        """Return the file as one part; its size is that of the selected columns."""
        file = self.open(path)
        schema = nested.columns_of(file.schema)
        check_columns(schema, self._selection, where=path)
        names, keys = self._names(), [key.name for key in self._selection.keys]
        try:
            size = file.size(nested.outer_of(file.schema, names))
        except FAILURES as error:
            raise unreadable(path, error, self.format) from error
        return [
            TypedPart(
                path=path,
                ignored=tuple(
                    f.name for f in schema if f.name not in names and not nested.is_struct(f)
                ),
                rows=size.rows,
                text_bytes=size.text_bytes,
                key_types=pa.schema([pa.field(key, schema.field(key).type) for key in keys]),
            )
        ]

    def read(self, part: TypedPart) -> Iterator[Block]:
        """Yield a file's rows, at most `BATCH_ROWS` at a time."""
        file = self._opened_part(part)
        schema = nested.columns_of(file.schema)
        check_columns(schema, self._selection, where=part.path)  # may have changed
        yield from self._blocks(self._batches(file, part.path), part)

    def _opened_part(self, part: TypedPart) -> TypedFile:
        """Open what a part has of its file."""
        return self.open(part.path)

    def _batches(self, file: TypedFile, path: str) -> Iterator[pa.RecordBatch]:
        names = self._names()
        try:
            for batch in file.batches(nested.outer_of(file.schema, names), BATCH_ROWS):
                yield nested.taken(batch, names)
        except FAILURES as error:
            raise unreadable(path, error, self.format) from error


def rows_at(path: str, reader: type[TypedReader], numbers: Sequence[int]) -> pa.Table:
    """Return rows of a file by their numbers, from 1, in order, with all columns that have a name.

    Raises:
      DataError: the file cannot be read.
    """
    file, wanted, first = reader.open(path), np.sort(np.array(numbers, np.int64)), 1
    names = unique_names(file.schema)
    kept: list[pa.RecordBatch] = []
    try:
        for batch in file.batches(names, BATCH_ROWS):
            at = wanted[(wanted >= first) & (wanted < first + batch.num_rows)] - first
            kept += [batch.take(pa.array(at))] if at.size else []
            first += batch.num_rows
    except FAILURES as error:
        raise unreadable(path, error, reader.format) from error
    schema = pa.schema([field for field in file.schema if field.name in names])
    return pa.Table.from_batches(kept, None if kept else schema)


def sample_first(path: str, reader: type[TypedReader], rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, without columns of equal names, and whether they are all.

    Fields of structs are columns; unions and maps are left out.
    """
    file = reader.open(path)
    columns = nested.columns_of(file.schema)
    names = [n for n in unique_names(columns) if is_plain(columns.field(n))]
    kept: list[pa.RecordBatch] = []
    try:
        for batch in file.batches(nested.outer_of(file.schema, names), BATCH_ROWS):
            kept.append(nested.taken(batch, names))
            if sum(each.num_rows for each in kept) > rows:
                return pa.Table.from_batches(kept).slice(0, rows), False
    except FAILURES as error:
        raise unreadable(path, error, reader.format) from error
    schema = pa.schema([columns.field(name) for name in names])
    return pa.Table.from_batches(kept, None if kept else schema), True


def is_plain(column: pa.Field) -> bool:
    """Return whether a column may be one of a table."""
    kind = column.type
    return not (pa.types.is_union(kind) or pa.types.is_map(kind) or nested.is_struct(column))


def unique_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that have one, and that no other column has."""
    return [name for name in schema.names if name and schema.names.count(name) == 1]
