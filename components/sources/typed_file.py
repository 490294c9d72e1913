"""Reads sources whose columns have types into blocks of typed rows; places are row numbers, from 1.

A format only opens a file and yields its record batches. Values are checked as strictly as in CSV,
with the same reasons for rejects. A column of the file must have a type that fits, which its schema
shows before any row is read.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from components.examples import arrow_schema, column
from components.sources import lists, protocol
from components.sources.cells import Cells, first_reasons
from components.sources.protocol import Block, Part, Selection
from components.sources.rejects import Reject, RejectReason, as_json
from components.sources.texts import cleaned, with_bytes
from components.sources.typed import of_arrow
from components.sources.typed_checks import TypedFormat, check_columns, unreadable
from schemas.columns import Column
from schemas.sources.options import SourceOptions

BATCH_ROWS = 65_536
# What damaged files lead to; MemoryError, because a length that is wrong may be any.
FAILURES = (OSError, pa.ArrowException, UnicodeDecodeError, MemoryError)


@dataclass(frozen=True)
class TypedPart(Part):
    """A file with types, a range of its rows, or rows of a table, with the columns' types.

    Attributes:
      key_types: the types of the keys.
      first_row: the number of the first row, from 1.
    """

    key_types: pa.Schema
    first_row: int = field(default=1, kw_only=True)


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


P = TypeVar("P", bound=TypedPart)


class TypedRows(protocol.Reader[P]):
    """Converts record batches of a source with types to blocks; a subclass finds the batches."""

    def __init__(self, options: SourceOptions, selection: Selection) -> None:
        self._options = options
        self._selection = selection

    def key_types(self, part: P) -> pa.Schema:
        """Return the types of the keys, which are the source's."""
        return part.key_types

    def _blocks(self, batches: Iterable[pa.RecordBatch], part: P) -> Iterator[Block]:
        """Yield a part's rows, at most `BATCH_ROWS` at a time."""
        first = part.first_row
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                yield self._block(piece, part, first)
                first += piece.num_rows

    def _names(self) -> list[str]:
        columns = (*self._selection.columns, *self._selection.keys)
        return list(dict.fromkeys(c.name for c in columns))

    def _block(self, batch: pa.RecordBatch, part: P, first: int) -> Block:
        """Convert rows to the selected types; `first` is the number of the first row."""
        columns = self._selection.columns
        cells = [self._cells(column(batch, c.name), c, part) for c in columns]
        keys = [column(batch, key.name) for key in self._selection.keys]
        reasons, culprits = first_reasons(cells, columns, self._selection.needs)
        rows = pa.RecordBatch.from_arrays(
            [*(c.values for c in cells), *keys],
            schema=pa.schema([*arrow_schema(columns), *part.key_types]),
        )
        places = np.arange(first, first + batch.num_rows)
        if not reasons.any():
            return Block(batch.num_rows, rows, places, ())
        names = [columns[culprit].name for culprit in culprits[reasons > 0]]
        rejects = _rejects(batch, np.flatnonzero(reasons), reasons, names, part.path, first)
        good = reasons == 0
        return Block(batch.num_rows, rows.filter(pa.array(good)), places[good], rejects)

    def _cells(self, array: pa.Array, wanted: Column, part: P) -> Cells:
        del part  # all of a file's columns have types
        read = lists.of_arrow if wanted.is_list else of_arrow
        cells = read(array, wanted, self._cleaned(wanted))
        assert cells is not None  # the file's types were checked by its schema
        return cells

    def _cleaned(self, wanted: Column) -> Callable[[pa.Array], pa.Array]:
        """Return what is done to a column's text before it is read."""
        nulls, trim = self._options.nulls_of(wanted.name), self._options.trim
        return lambda texts: cleaned(texts, nulls, trim=trim)


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
        schema = file.schema
        check_columns(schema, self._selection, where=path)
        names, keys = self._names(), [key.name for key in self._selection.keys]
        try:
            size = file.size(names)
        except FAILURES as error:
            raise unreadable(path, error, self.format) from error
        return [
            TypedPart(
                path=path,
                ignored=tuple(name for name in schema.names if name not in names),
                rows=size.rows,
                text_bytes=size.text_bytes,
                key_types=pa.schema([pa.field(key, schema.field(key).type) for key in keys]),
            )
        ]

    def read(self, part: TypedPart) -> Iterator[Block]:
        """Yield a file's rows, at most `BATCH_ROWS` at a time."""
        file = self._opened_part(part)
        check_columns(file.schema, self._selection, where=part.path)  # may have changed
        yield from self._blocks(self._batches(file, part.path), part)

    def _opened_part(self, part: TypedPart) -> TypedFile:
        """Open what a part has of its file."""
        return self.open(part.path)

    def _batches(self, file: TypedFile, path: str) -> Iterator[pa.RecordBatch]:
        try:
            yield from file.batches(self._names(), BATCH_ROWS)
        except FAILURES as error:
            raise unreadable(path, error, self.format) from error


def _rejects(
    batch: pa.RecordBatch,
    rows: np.ndarray,
    reasons: np.ndarray,
    names: Sequence[str],
    path: str,
    first: int,
) -> tuple[Reject, ...]:
    """Return rejected rows; `names` has the column that is wrong in each."""
    records = plain_rows(batch.take(pa.array(rows)))
    return tuple(
        Reject(
            path,
            first + int(row),
            name,
            None if record[name] in (None, "") else str(record[name]),
            RejectReason(int(reasons[row])),
            as_json(record),
        )
        for row, name, record in zip(rows, names, records, strict=True)
    )


def plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as Python values; timestamps as text, and text that is not UTF-8 as bytes."""
    batch = _converted(batch, _without_zone)
    try:
        return batch.to_pylist()
    except UnicodeDecodeError:
        return _converted(batch, _as_bytes).to_pylist()


def _converted(batch: pa.RecordBatch, convert: Callable[[pa.Array], pa.Array]) -> pa.RecordBatch:
    arrays = [convert(array) for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _without_zone(array: pa.Array) -> pa.Array:
    """Return timestamps as text in UTC: Python has no nanoseconds, and not every zone."""
    if not pa.types.is_timestamp(array.type):
        return array
    return array.cast(pa.timestamp(array.type.unit)).cast(pa.string())


def _as_bytes(array: pa.Array) -> pa.Array:
    return array.view(with_bytes(array.type))


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

    Unions and maps are left out.
    """
    file = reader.open(path)
    names = [n for n in unique_names(file.schema) if _is_plain(file.schema.field(n).type)]
    kept: list[pa.RecordBatch] = []
    try:
        for batch in file.batches(names, BATCH_ROWS):
            kept.append(batch)
            if sum(each.num_rows for each in kept) > rows:
                return pa.Table.from_batches(kept).slice(0, rows), False
    except FAILURES as error:
        raise unreadable(path, error, reader.format) from error
    schema = pa.schema([field for field in file.schema if field.name in names])
    return pa.Table.from_batches(kept, None if kept else schema), True


def _is_plain(kind: pa.DataType) -> bool:
    """Return whether a column may be one of a table."""
    return not (pa.types.is_union(kind) or pa.types.is_map(kind))


def unique_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that have one, and that no other column has."""
    return [name for name in schema.names if name and schema.names.count(name) == 1]
