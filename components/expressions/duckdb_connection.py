"""DuckDB's connections to data in memory; the library is imported only where SQL is computed."""

from __future__ import annotations

import threading

import duckdb

Error = duckdb.Error  # what DuckDB raises

_SETTINGS = {
    "enable_external_access": "false",  # no file and no network
    "threads": "1",
    "lock_configuration": "true",
}

_local = threading.local()


def own() -> duckdb.DuckDBPyConnection:
    """Return the connection of this thread, without tables."""
    if not hasattr(_local, "connection"):
        _local.connection = duckdb.connect(":memory:", config=_SETTINGS)
    connection: duckdb.DuckDBPyConnection = _local.connection
    return connection
