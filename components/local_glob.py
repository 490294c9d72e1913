"""Patterns → the files on this machine that they name, each real file once.

Below `**`, Python's `glob` follows symbolic links again and again: over a link to a folder above it
finds each file forty times, and over two such links it does not come to an end.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator

_ANY_DEPTH = "**"


def find(pattern: str, without: Collection[str] = ()) -> list[str]:
    """Return the files that a pattern (`*`, `?`, `[…]`, `**`) names, in no order.

    Of several paths to one file, the one of the fewest parts is kept, then the first by name.

    Args:
      pattern: of the files.
      without: paths, and real paths, of files to leave out.
    """
    kept: dict[str, str] = {}
    new = (path for path in _matches(pattern) if path not in without)
    for path in sorted(new, key=lambda path: (path.count(os.sep), path)):
        if os.path.isfile(path) and (real := os.path.realpath(path)) not in without:
            kept.setdefault(real, path)
    return list(kept.values())


def _matches(pattern: str) -> Iterator[str]:
    parts = pattern.split(os.sep)
    if _ANY_DEPTH not in parts:
        yield from glob.iglob(pattern)
        return
    at = parts.index(_ANY_DEPTH)
    above = os.sep.join(parts[:at]) or os.sep * (at > 0)
    for top in glob.iglob(above) if above else [""]:
        for folder in _folders(top):
            yield from _matches(os.path.join(glob.escape(folder), *(parts[at + 1 :] or ["*"])))


def _folders(top: str) -> Iterator[str]:
    """Yield a folder and those below it, each real one once, without those that are hidden."""
    seen: set[str] = set()
    level = [top]
    while level:
        below: list[str] = []
        for folder in level:
            real = os.path.realpath(folder or os.curdir)
            if real not in seen:
                seen.add(real)
                yield folder
                below += _within(folder)
        level = sorted(below, key=lambda path: (os.path.islink(path), path))


def _within(folder: str) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(folder or os.curdir) as entries:
        return [
            os.path.join(folder, entry.name)
            for entry in entries
            if entry.is_dir() and not entry.name.startswith(".")
        ]
    return []  # not a folder, or one that may not be read, which glob passes over, too
