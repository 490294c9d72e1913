"""Reads tables of databases, and results of queries; a row's place is its number in its part.

A database's own client yields Arrow batches. Nothing is connected but while rows or types are read,
so that readers and parts can be sent to workers. `databases.py` opens each kind of database.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from components import list_arrays
from components.sources import protocol
from components.sources.cells import Cells
from components.sources.databases import ResultColumns, opened, quoted, sql_names
from components.sources.protocol import Block, Selection
from components.sources.typed import of_texts
from components.sources.typed_checks import check_columns
from components.sources.typed_file import unique_names
from components.sources.typed_rows import TypedPart, TypedRows
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.sql import Sql, file_of

HAS_TYPES = True
_NUMBER_BYTES = 8


@dataclass(frozen=True)
class SqlPart(TypedPart):
    """Rows of a table or result.

    Attributes:
      source: the table or query.
      where: the condition of the rows, in SQL; "" means all.
      digits: the columns whose values arrive as text, to be read as CSV's are.
    """

    source: SqlSource
    where: str
    digits: frozenset[str]


@dataclass(frozen=True)
class SqlSource:
    """What is read: a database's URL, without secrets, and a query."""

    path: str
    url: str
    query: str

    @classmethod
    def of(cls, path: str, options: Sql) -> SqlSource:
        """Return what a path means: a table of its own, or else the query of the options."""
        url, _, table = path.partition("#")
        if table:
            name = ".".join(quoted(each, url) for each in table.split("."))
            return cls(path, url, f"SELECT * FROM {name}")  # noqa: S608
        return cls(path, url, (options.query or "").strip().rstrip(";"))

    @property
    def text_type(self) -> str:
        """The type of texts in a CAST."""
        return sql_names(self.url).get("VARCHAR", "VARCHAR")

    def name(self, column: str) -> str:
        """Return a column's name as the database writes it."""
        return quoted(column, self.url)

    def select(self, what: str, where: str = "") -> str:
        """Return a query for something of the rows that a condition holds for."""
        # the line break ends a comment at the end of the query
        return f"SELECT {what} FROM (\n{self.query}\n) AS source{where and ' WHERE ' + where}"  # noqa: S608


class Reader(TypedRows[SqlPart], protocol.TableReader[SqlPart]):
    """Reads tables and results of queries."""

    def __init__(self, options: Sql, selection: Selection) -> None:
        super().__init__(options, selection)
        self._sql = options

    def check(self, path: str) -> None:
        """Check that the table can be read and has the columns, by its types alone."""
        source = SqlSource.of(path, self._sql)
        with opened(source.url, path) as database:
            self._checked(source, database.columns(source.select("*"), self._names()))

    def files(self, path: str) -> list[str]:
        """Return the database's file and the log of its last changes; none for a server."""
        file = file_of(path)
        if file is None:
            return []
        logs = [f"{file}-wal", f"{file}.wal"]  # SQLite's, DuckDB's
        return [file, *filter(os.path.isfile, logs)]

    def version(self, path: str) -> str:
        """Return the number of rows and the greatest value of the column `version`, if it is given.

        Otherwise nothing says whether the rows are the same, and each time is another one.
        """
        if self._sql.version is None:
            return f"read at {datetime.now(timezone.utc).isoformat()}"
        source = SqlSource.of(path, self._sql)
        with opened(source.url, path) as database:
            found = database.row(source.select(f"count(*), max({source.name(self._sql.version)})"))
        return " ".join(map(str, found))

    def parts(self, path: str) -> list[SqlPart]:
        """Return all rows, or the ranges of `partition_by`; counts the rows and their text."""
        source, by = SqlSource.of(path, self._sql), self._sql.partition_by
        with opened(source.url, path) as database:
            names = self._names() if by is None else [*self._names(), by]
            columns = database.columns(source.select("*"), names)
            self._checked(source, columns)
            texts = [f.name for f in columns.schema if f.name in self._names() and _is_long(f.type)]
            text = source.text_type
            lengths = [f"sum(length(CAST({source.name(name)} AS {text})))" for name in texts]
            rows, *sizes = database.row(source.select(", ".join(["count(*)", *lengths])))
            ranges = [""]
            if by is not None:
                _require_whole(columns.schema, by, path)
                ends = database.row(
                    source.select(f"min({source.name(by)}), max({source.name(by)})")
                )
                ranges = _ranges(source.name(by), ends, self._sql.parts)
        size = sum(int(each or 0) for each in sizes) + rows * _NUMBER_BYTES * len(self._names())
        found = columns.schema.names
        return [
            SqlPart(
                path=f"{path} WHERE {where}" if where else path,
                ignored=tuple(name for name in found if name not in self._names()),
                rows=rows / len(ranges),
                text_bytes=size / len(ranges),
                key_types=pa.schema([columns.schema.field(k.name) for k in self._selection.keys]),
                source=source,
                where=where,
                digits=columns.digits,
            )
            for where in ranges
        ]

    def read(self, part: SqlPart) -> Iterator[Block]:
        """Yield a part's rows, in the order in which the database has them."""
        source, names = part.source, self._names()
        with opened(source.url, part.path) as database:
            columns = database.columns(source.select("*"), names)
            self._checked(source, columns)  # the types may have changed
            what = ", ".join(map(source.name, names))
            batches = database.rows(source.select(what, part.where), names, columns)
            yield from self._blocks(batches, part)

    def _checked(self, source: SqlSource, columns: ResultColumns) -> None:
        lists = {column.name for column in self._selection.columns if column.is_list}
        anything = columns.digits - lists  # text that is read as any type but that of lists
        fields = [
            pa.field(f.name, pa.null() if f.name in anything else f.type) for f in columns.schema
        ]
        check_columns(
            pa.schema(fields),
            self._selection,
            where=source.path,
            what="table",
            sql_names=sql_names(source.url),
            has_fields=False,
        )
        for name in self._names():
            if (kind := columns.unread.get(name)) is not None:
                raise DataError(
                    f"the column {name!r} is {kind}, which Arrow has no type for",
                    where=source.path,
                    expected="numbers, texts, booleans, dates or timestamps, or arrays of these",
                    remedy=f"write a query with CAST({name} AS {source.text_type}) AS {name}",
                )

    def _cells(self, array: pa.Array, wanted: Column, part: SqlPart) -> Cells:
        if wanted.name in part.digits:
            return of_texts(array, wanted, self._cleaned(wanted))
        return super()._cells(array, wanted, part)


def _is_long(kind: pa.DataType) -> bool:
    """Return whether values have no fixed size."""
    return kind in (pa.string(), pa.binary()) or list_arrays.is_list(kind)


def _require_whole(schema: pa.Schema, by: str, where: str) -> None:
    if by not in schema.names or not kinds.is_integer(schema.field(by).type):
        found = f"is {schema.field(by).type}" if by in schema.names else "does not exist"
        raise DataError(
            f"source.partition_by: the column {by!r} {found}",
            where=where,
            expected="a column of whole numbers, by whose ranges the rows are read in parts",
        )


def _ranges(column: str, ends: tuple[int | None, ...], parts: int) -> list[str]:
    """Return conditions that each row fulfils one of: equal ranges, missing values in the first.

    >>> _ranges('"id"', (0, 9), 2)
    ['("id" < 5 OR "id" IS NULL)', '"id" >= 5']
    """
    first, last = ends
    if first is None or last is None or first == last:
        return [""]
    count = min(parts, last - first + 1)
    bounds = [first + (last - first + 1) * part // count for part in range(1, count)]
    inner = [f"{column} >= {low} AND {column} < {high}" for low, high in itertools.pairwise(bounds)]
    return [f"({column} < {bounds[0]} OR {column} IS NULL)", *inner, f"{column} >= {bounds[-1]}"]


def draft(path: str) -> Sql:
    """Return the options that a table needs."""
    return Sql.plain(path)


def sample(options: Sql, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a table or result, and whether these are all."""
    source = SqlSource.of(path, options)
    with opened(source.url, path) as database:
        columns = database.columns(source.select("*"), None)
        names = [n for n in unique_names(columns.schema) if n not in columns.unread]
        what = ", ".join(map(source.name, names))
        kept = list(database.rows(f"{source.select(what)} LIMIT {rows + 1}", names, columns))
    schema = pa.schema([columns.schema.field(name) for name in names])
    table = pa.Table.from_batches(kept, schema)
    for name in columns.digits.intersection(names):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, _numbers(table.column(name)))
    return table.slice(0, rows), table.num_rows <= rows


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as whole numbers, or as floats; themselves if some are neither."""
    given = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    for kind in (pa.int64(), pa.float64()):
        with contextlib.suppress(pa.ArrowInvalid):
            return given.cast(kind)
    return texts
