"""Reads MySQL and MariaDB servers through ConnectorX, which yields Arrow batches."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from components.sources.databases import Batches, ResultColumns, quoted
from components.sources.typed_rows import BATCH_ROWS

_PORT = 3306
_SECONDS = 15  # until a server that does not answer is given up
_QUIET = ("RUST_LOG", "RUST_BACKTRACE")  # what the client writes to the terminal beside its errors


class MySqlDatabase:
    """A database of a server; each statement has a connection of its own.

    Decimals arrive as digits. A zero date, which MySQL has for "no date", is missing.
    """

    def __init__(self, url: str) -> None:
        for name in _QUIET:
            os.environ.setdefault(name, "off" if name == "RUST_LOG" else "0")
        import connectorx

        self._client = connectorx
        parts = urllib.parse.urlsplit(url)
        self._url = parts._replace(scheme="mysql").geturl()
        # the client takes half a minute to say that nobody listens
        socket.create_connection(
            (parts.hostname or "localhost", parts.port or _PORT), _SECONDS
        ).close()

    def columns(self, query: str, names: Sequence[str] | None) -> ResultColumns:
        """Return the columns of a query's result."""
        del names  # every column has a type
        schema = self._read(f"{query} LIMIT 0", "arrow").schema
        digits = frozenset(field.name for field in schema if kinds.is_decimal(field.type))
        unread = {field.name: "time" for field in schema if kinds.is_time(field.type)}
        return ResultColumns(pa.schema([_plain(field) for field in schema]), digits, unread)

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query's result."""
        table = self._read(query, "arrow")
        return tuple(column[0].as_py() for column in table.columns)

    def rows(self, query: str, names: Sequence[str], columns: ResultColumns) -> Batches:
        """Yield a query's result."""
        what = ", ".join(_value(name, columns) for name in names)
        # the line break ends a comment at the end of the query
        whole = f"SELECT {what} FROM (\n{query}\n) AS result"  # noqa: S608
        schema = pa.schema([_plain(columns.schema.field(name)) for name in names])
        with _errors():
            for batch in self._read(whole, "arrow_stream", batch_size=BATCH_ROWS):
                if batch.num_rows:
                    arrays = map(pa.Array.cast, batch.columns, schema.types)
                    yield pa.RecordBatch.from_arrays(list(arrays), schema=schema)

    def close(self) -> None:
        """Do nothing: no connection is open between statements."""

    def _read(self, query: str, kind: str, **options: Any) -> Any:
        with _errors():
            return self._client.read_sql(self._url, query, return_type=kind, **options)


def _value(name: str, columns: ResultColumns) -> str:
    value, kind = quoted(name, "mysql://"), columns.schema.field(name).type
    if name in columns.digits:
        return f"CAST({value} AS CHAR) AS {value}"
    if kinds.is_temporal(kind):
        return f"IF({value} = 0, NULL, {value}) AS {value}"
    return value


def _plain(field: pa.Field) -> pa.Field:
    if kinds.is_decimal(field.type) or kinds.is_time(field.type):
        return pa.field(field.name, pa.string())
    return pa.field(field.name, pa.binary()) if kinds.is_large_binary(field.type) else field


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Raise what the client raises as OSErrors with the server's words."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(_words(str(error))) from error
    except BaseException as error:  # a panic of the client's Rust is not an Exception
        if type(error).__name__ != "PanicException":
            raise
        raise OSError(str(error)) from error


def _words(text: str) -> str:
    """Return what a server says of an error.

    >>> _words("MySqlError { ERROR 1054 (42S22): Unknown column 'x' in 'SELECT' }")
    "Unknown column 'x' in 'SELECT'"
    """
    found = re.search(r"ERROR \d+ \(\w+\): (.*?) *\}*$", text)
    return found[1] if found else text
