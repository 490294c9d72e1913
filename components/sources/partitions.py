"""Partitions of a table by folders named `key=value`, as Hive and Spark write them."""

from __future__ import annotations

from urllib.parse import unquote

from components import files

_MISSING = "__HIVE_DEFAULT_PARTITION__"


def partition_of(path: str) -> dict[str, str | None]:
    """Return the keys and values that the folders of a path have; None is a missing value.

    >>> partition_of("trips/year=2024/area=North%20Side/x.parquet")
    {'year': '2024', 'area': 'North Side'}
    """
    folders = [name.partition("=") for name in path.split("/")[:-1]]
    return {
        unquote(key): None if value == _MISSING else unquote(value)
        for key, sign, value in folders
        if key and sign
    }


def partitions_in(folder: str) -> bool:
    """Return whether all that is in a folder are folders named as partitions are."""
    names = [name for name in files.names(folder) if not name.startswith(("_", "."))]
    return bool(names) and all(partition_of(f"{name}/") for name in names)
