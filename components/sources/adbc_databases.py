"""Reads SQLite files and PostgreSQL servers through ADBC, Arrow's clients of databases."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from components.sources.databases import Batches, ResultColumns, quoted
from components.sources.typed_rows import BATCH_ROWS

_TYPE = b"ADBC:postgresql:typname"  # in the metadata of types that Arrow has not
_SECONDS = 15  # until a server that does not answer is given up

# SQLite's values have types, its columns have none. A column of one type has Arrow's, a column of
# several, or of none, is text that is read as CSV's is.
_OF_ONE_TYPE = {
    frozenset({"integer"}): pa.int64(),
    frozenset({"real"}): pa.float64(),
    frozenset({"text"}): pa.string(),
    frozenset({"blob"}): pa.binary(),
    frozenset({"text", "blob"}): pa.binary(),
}
_EXAMPLES = {pa.int64(): "0", pa.float64(): "0.5", pa.string(): "''", pa.binary(): "x''"}  # in SQL
_SQLITE_TYPES = ("integer", "real", "text", "blob")


class _AdbcDatabase:
    """A connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query's result."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            found: tuple[Any, ...] = cursor.fetchone()
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _schema(self, query: str) -> pa.Schema:
        with self._connection.cursor() as cursor:
            cursor.execute(f"{query} LIMIT 0")
            return cursor.fetch_record_batch().schema


class PostgresqlDatabase(_AdbcDatabase):
    """A database of a PostgreSQL server, in a read-only transaction with one view of the rows.

    The rows of a table arrive in the order in which it has them.
    """

    def __init__(self, url: str) -> None:
        from adbc_driver_postgresql import dbapi

        if "connect_timeout=" not in url:
            url += f"{'&' if '?' in url else '?'}connect_timeout={_SECONDS}"
        super().__init__(dbapi.connect(url))
        with self._connection.cursor() as cursor:
            for setting in (
                "TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "synchronize_seqscans = off",
                "max_parallel_workers_per_gather = 0",
            ):
                cursor.execute(f"SET {setting}")

    def columns(self, query: str, names: Sequence[str] | None) -> ResultColumns:
        """Return the columns of a query's result; NUMERIC arrives as digits."""
        del names  # every column has a type
        schema = self._schema(query)
        types = {f.name: f.metadata[_TYPE].decode() for f in schema if _TYPE in (f.metadata or {})}
        digits = frozenset(name for name, kind in types.items() if kind == "numeric")
        unread = {name: kind for name, kind in types.items() if name not in digits}
        return ResultColumns(schema.remove_metadata(), digits, unread)

    def rows(self, query: str, names: Sequence[str], columns: ResultColumns) -> Batches:
        """Yield a query's result, 16 MB at a time."""
        del names, columns
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            yield from cursor.fetch_record_batch()


class SqliteDatabase(_AdbcDatabase):
    """An SQLite file."""

    def __init__(self, file: str) -> None:
        from adbc_driver_sqlite import dbapi

        super().__init__(dbapi.connect(f"file:{urllib.parse.quote(file)}?mode=ro"))

    def columns(self, query: str, names: Sequence[str] | None) -> ResultColumns:
        """Return the columns of a query's result, with the types of all their values."""
        found = self._schema(query).names
        read = [n for n in found if found.count(n) == 1 and n and (names is None or n in names)]
        types = self._types(query, read)
        fields = [(n, _OF_ONE_TYPE.get(types.get(n, frozenset()), pa.string())) for n in found]
        digits = frozenset(name for name, kinds in types.items() if kinds not in _OF_ONE_TYPE)
        return ResultColumns(pa.schema(fields), digits)

    def rows(self, query: str, names: Sequence[str], columns: ResultColumns) -> Batches:
        """Yield a query's result.

        The client derives each column's type from the first batch. A row of examples comes first,
        and is dropped again.
        """
        examples = [f"{_EXAMPLES[columns.schema.field(n).type]} AS {quoted(n)}" for n in names]
        values = [_text(n) if n in columns.digits else quoted(n) for n in names]
        with self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
            cursor.execute(
                f"SELECT {', '.join(examples)} UNION ALL"  # noqa: S608
                f" SELECT {', '.join(values)} FROM ({query})"
            )
            first = 1
            for batch in cursor.fetch_record_batch():
                yield batch.slice(first)
                first = 0

    def _types(self, query: str, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return the types of the values of each column."""
        if not names:
            return {}
        what = [f"max(typeof({quoted(n)}) = '{kind}')" for n in names for kind in _SQLITE_TYPES]
        seen = iter(self.row(f"SELECT {', '.join(what)} FROM ({query})"))  # noqa: S608
        return {name: frozenset(kind for kind in _SQLITE_TYPES if next(seen)) for name in names}


def _text(name: str) -> str:
    """Return an expression for a value as text, a number with all its digits."""
    value = quoted(name)
    return (
        f"CASE typeof({value}) WHEN 'real' THEN printf('%!.17g', {value})"
        f" ELSE CAST({value} AS TEXT) END"
    )
