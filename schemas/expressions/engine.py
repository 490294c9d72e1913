"""Checks that DuckDB is installed, which is an extra of this package."""

from __future__ import annotations

import importlib.util

from schemas.errors import ConfigError


def require_duckdb(user: str, *, where: str) -> None:
    """Check that DuckDB can be imported, without the import.

    Args:
      user: the section that needs it.
      where: the place of the section.

    Raises:
      ConfigError: it is not installed.
    """
    if importlib.util.find_spec("duckdb") is None:
        raise ConfigError(
            f"{user} needs DuckDB, which is not installed",
            where=where,
            remedy="pip install 'skewless[duckdb]'",
        )
