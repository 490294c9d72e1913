"""Finds out whether paths are the same or contain each other, so that input is never overwritten.

Paths on a disk or in a store need not exist. Links are resolved, and two names of one file (a hard
link, or another case on a case-insensitive disk) are the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from components import files


def settled(path: str) -> str:
    """Return the absolute path without links; a store's path has no `/` at its end."""
    return files.absolute(path) if files.in_store(path) else os.path.realpath(path)


def is_same(one: str, other: str) -> bool:
    """Return whether two paths are the same file or folder."""
    one, other = settled(one), settled(other)
    if one == other:
        return True
    if files.in_store(one) or files.in_store(other):
        return False
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist, or cannot be looked at
        return False


def is_within(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or is somewhere below it.

    >>> is_within("gs://bucket/a/b", "gs://bucket/a"), is_within("gs://bucket/ab", "gs://bucket/a")
    (True, False)
    """
    if files.in_store(path) or files.in_store(folder):
        return f"{settled(path)}/".startswith(f"{settled(folder)}/")
    place, folder = Path(settled(path)), settled(folder)
    if place.is_relative_to(folder):
        return True
    return os.path.exists(folder) and any(is_same(str(p), folder) for p in (place, *place.parents))


def one_a_folder(paths: Iterable[str]) -> list[str]:
    """Return one path for each folder that contains some of the paths, after resolving links."""
    return list({os.path.dirname(settled(path)): path for path in paths}.values())
