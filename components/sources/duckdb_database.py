"""Reads DuckDB files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from components.compat import batches_of
from components.sources.databases import Batches, ResultColumns
from components.sources.typed_rows import BATCH_ROWS

# A query reads its own database only, whose content is what the cache goes by.
_CONFIG = {"enable_external_access": "false", "autoload_known_extensions": "false"}


class DuckDbDatabase:
    """A DuckDB file, opened for reading."""

    def __init__(self, file: str) -> None:
        self._connection = duckdb.connect(file, read_only=True, config=_CONFIG)

    def columns(self, query: str, names: Sequence[str] | None) -> ResultColumns:
        """Return the columns of a query's result."""
        del names  # every column has a type
        result = self._connection.execute(f"{query} LIMIT 0")
        return ResultColumns(batches_of(result, 1).schema)

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of a query's result."""
        found: tuple[Any, ...] | None = self._connection.execute(query).fetchone()
        assert found is not None  # as the query is an aggregate
        return found

    def rows(self, query: str, names: Sequence[str], columns: ResultColumns) -> Batches:
        """Yield a query's result."""
        del names, columns
        yield from batches_of(self._connection.execute(query), BATCH_ROWS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
