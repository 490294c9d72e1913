"""Opens databases by their URLs, with one interface to all of them.

What their clients raise becomes a DataError with the database's own words.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from components.sources.source_files import source_files
from schemas.errors import ConfigError, DataError
from schemas.sources.sql import MYSQL, expanded, file_of

_SQL_TYPES = {"DOUBLE": "DOUBLE PRECISION"}  # which all but MySQL know
_MYSQL_TYPES = {
    "BIGINT": "SIGNED",
    "BOOLEAN": "SIGNED",
    "TIMESTAMP": "DATETIME(6)",
    "VARCHAR": "CHAR",
}
_EXTRAS = {"postgres": "postgresql", "mariadb": "mysql"}


@dataclass(frozen=True)
class ResultColumns:
    """The columns of a query's result.

    Attributes:
      schema: their names and types.
      digits: those whose values arrive as text, to be read as CSV's are: numbers of any size, and
        values of several types.
      unread: those whose values the client cannot read, each with its type.
    """

    schema: pa.Schema
    digits: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)


class Database(Protocol):
    """An open database, which nothing here changes."""

    def columns(self, query: str, names: Sequence[str] | None) -> ResultColumns:
        """Return the columns of a query's result; `names` are those whose types matter."""
        ...

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query's result."""
        ...

    def rows(self, query: str, names: Sequence[str], columns: ResultColumns) -> Batches:
        """Yield a query's result, whose columns are `names`, some rows at a time."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


Batches = Iterator[pa.RecordBatch]


@contextlib.contextmanager
def opened(url: str, where: str) -> Iterator[Database]:
    """Open a database for reading until the block ends.

    Args:
      url: its URL, as in pipeline.yaml but with an absolute file.
      where: for errors.

    Raises:
      ConfigError: its client is not installed, or a variable of the URL is not set.
      DataError: it cannot be opened or read, in this block.
    """
    try:
        with contextlib.closing(_connected(url, where)) as database:
            yield database
    except Exception as error:
        if not _is_of_client(error):
            raise
        raise DataError(
            f"the database cannot be read: {_words(str(error))}",
            where=where,
            expected="a database that answers, and a table or query that it has",
            remedy="correct source.url, table or query in pipeline.yaml, or ask its administrator",
        ) from error


def quoted(name: str, url: str = "") -> str:
    """Return a name as an identifier of SQL, as the database with this URL writes it.

    >>> quoted("a", "postgresql://host/b"), quoted("a", "mysql://host/b")
    ('"a"', '`a`')
    """
    mark = "`" if url.partition("://")[0] in MYSQL else '"'
    return mark + name.replace(mark, mark * 2) + mark


def sql_names(url: str) -> Mapping[str, str]:
    """Return the types of SQL that the database with this URL has another name for in a CAST.

    >>> sql_names("mysql://host/b")["VARCHAR"], sql_names("sqlite:///a")["DOUBLE"]
    ('CHAR', 'DOUBLE PRECISION')
    """
    return _MYSQL_TYPES if url.partition("://")[0] in MYSQL else _SQL_TYPES


def _connected(url: str, where: str) -> Database:
    scheme, file = url.partition("://")[0], file_of(url)
    try:
        whole = expanded(url, os.environ)
    except KeyError as error:
        raise ConfigError(
            f"the environment variable {error.args[0]} is not set",
            where=where,
            expected="the variables of source.url, wherever rows are read",
        ) from error
    if file is not None and not os.path.isfile(file):
        source_files(file, named=file)  # says why there is none
    try:
        if scheme == "duckdb":
            from components.sources.duckdb_database import DuckDbDatabase

            return DuckDbDatabase(str(file))
        if scheme == "sqlite":
            from components.sources.adbc_databases import SqliteDatabase

            return SqliteDatabase(str(file))
        if scheme in MYSQL:
            from components.sources.mysql_database import MySqlDatabase

            return MySqlDatabase(whole)
        from components.sources.adbc_databases import PostgresqlDatabase

        return PostgresqlDatabase(whole)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(scheme, scheme)
        raise ConfigError(
            f"{scheme}:// needs a package that is not installed: {error.name}",
            where=where,
            remedy=f"pip install 'skewless[{extra}]'",
        ) from error


def _is_of_client(error: Exception) -> bool:
    """Return whether an exception comes from a database's client, or from Arrow's reader of it."""
    modules = {each.__module__.partition(".")[0] for each in type(error).__mro__}
    clients = {"_duckdb", "duckdb", "adbc_driver_manager"}
    return bool(modules & clients) or isinstance(error, (OSError, pa.ArrowException))


def _words(text: str) -> str:
    r"""Return what a database says of an error, without the query and the client's codes.

    >>> _words("INVALID_ARGUMENT: [libpq] Failed 'SELECT x': ERROR: no x\n. SQLSTATE: 1")
    'no x'
    """
    text = re.split(r"\bERROR:\s+", text)[-1]
    text = re.split(r"\nquery:|\. SQLSTATE|\s+LINE \d", text)[0]
    return " ".join(re.sub(r"^[A-Z_]+: (\[\w+\] )?", "", text).split())
