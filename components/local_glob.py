"""Finds the files on this machine that match a pattern, each real file once.

For `**`, Python's `glob` follows symbolic links repeatedly: with a link to a parent folder it finds
each file forty times, and with two such links it does not terminate.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator

_ANY_DEPTH = "**"


def find(pattern: str, without: Collection[str] = ()) -> list[str]:
    """Return the files that match a pattern (`*`, `?`, `[…]`, `**`), in no particular order.

    Of several paths to one file, the one with the fewest parts is kept, then the first by name.

    Args:
      pattern: the pattern.
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
    """Yield a folder and those below it, each real one once, except hidden ones."""
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
    return []  # not a folder, or an unreadable one, which glob skips, too
