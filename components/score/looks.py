"""Finds new files that match a pattern, in repeated looks.

A file is returned once, whatever happens to it later. A look at a folder with known files costs
little more than listing their names.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence

from components import files
from components.files import Entry
from schemas.errors import StoreError

# Files that are returned together, at most. The rest of a look waits, as names only.
MAX_FILES = 100
MAX_BYTES = 256 << 20


def look_for_files(
    pattern: str,
    *,
    seconds: float,
    until: float = math.inf,
    warn: Callable[[str], None] = lambda text: None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[list[Entry]]:
    """Yield the files that match and were not returned before, in parts of a look.

    It looks at once and then periodically, but not while the caller works on a part, and once more
    when the time is over. `*` does not match hidden files.

    Args:
      pattern: path or pattern of the files.
      seconds: between two looks.
      until: when to look for the last time, on the clock of `time.monotonic`.
      warn: called when a store does not answer a look; the next look tries again.
      check: called before each look and after each part; what it raises ends the looks.

    Raises:
      StoreError: the store does not answer the first look, or refuses it.
    """
    seen: set[str] = set()
    first = True
    while True:
        check()
        looked = time.monotonic()
        try:
            entries = files.find(pattern, seen)
        except StoreError as error:
            if first:
                raise
            warn(f"{error.what}: {pattern}; the next look tries again")
            entries = []
        first = False
        for part in parts(entries):
            for entry in part:
                seen |= {entry.path, _real(entry.path)}
            yield part
            check()
        if looked >= until:
            return
        time.sleep(max(0.0, min(looked + seconds, until) - time.monotonic()))


def _real(path: str) -> str:
    """Return a file's real path, which may also match, or another link to it."""
    return path if files.in_store(path) else os.path.realpath(path)


def parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield files in parts that are small enough to be processed at once.

    >>> [len(part) for part in parts([Entry(str(n), 1, 0) for n in range(250)])]
    [100, 100, 50]
    >>> [len(part) for part in parts([Entry(str(n), MAX_BYTES // 2, 0) for n in range(5)])]
    [2, 2, 1]
    """
    part: list[Entry] = []
    size = 0
    for entry in entries:
        if part and (len(part) == MAX_FILES or size + entry.size > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part
