"""Which paths are one place, or lie in one another: so that nothing is written over what is read.

Goes in: paths, on a disk or in a store, that need not exist. Links are followed, and two names of
one file (a hard link, another case where the disk takes both) are one place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from components import files


def settled(path: str) -> str:
    """Return the absolute path without links; a store's path without a `/` at its end."""
    return files.absolute(path) if files.in_store(path) else os.path.realpath(path)


def is_same(one: str, other: str) -> bool:
    """Return whether two paths are one file or folder."""
    one, other = settled(one), settled(other)
    if one == other:
        return True
    if files.in_store(one) or files.in_store(other):
        return False
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there, or cannot be looked at
        return False


def is_within(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or lies somewhere below it.

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
    """Return a path of each folder that some of the paths lie in, whatever links they are."""
    return list({os.path.dirname(settled(path)): path for path in paths}.values())
