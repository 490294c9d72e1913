"""A pattern of files → those that are new, look by look, for as long as someone asks.

Promised: a file is given once, whatever becomes of it later; what lies in the folder costs a look
little more than its names.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence

from components import files
from components.files import Entry
from schemas.errors import StoreError

# Files that are given together, at most. The rest of a look waits for its turn, as names alone.
MAX_FILES = 100
MAX_BYTES = 256 << 20


def look_for_files(
    pattern: str,
    *,
    seconds: float,
    until: float = math.inf,
    warn: Callable[[str], None] = lambda text: None,
) -> Iterator[list[Entry]]:
    """Yield the files that match and were not given before, in parts of a look.

    It looks at once and then every so often, but not while a part is worked on, and once more when
    the time is over. Hidden files match no `*`.

    Args:
      pattern: path or pattern of the files.
      seconds: between two looks.
      until: on the clock of `time.monotonic`, when to look for the last time.
      warn: told when a store does not answer a look; the next look asks again.

    Raises:
      StoreError: the store does not answer the first look, or refuses it.
    """
    seen: set[str] = set()
    first = True
    while True:
        looked = time.monotonic()
        try:
            found = files.find(pattern, seen)
        except StoreError as error:
            if first:
                raise
            warn(f"{error.what}: {pattern}; the next look asks again")
            found = []
        first = False
        for part in parts(found):
            for entry in part:
                seen |= {entry.path, _real(entry.path)}
            yield part
        if looked >= until:
            return
        time.sleep(max(0.0, min(looked + seconds, until) - time.monotonic()))


def _real(path: str) -> str:
    """Return a file's own path, which may also match, or another link to it."""
    return path if files.in_store(path) else os.path.realpath(path)


def parts(found: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield files in parts that are not too large to be worked on at a time.

    >>> [len(part) for part in parts([Entry(str(n), 1, 0) for n in range(250)])]
    [100, 100, 50]
    >>> [len(part) for part in parts([Entry(str(n), MAX_BYTES // 2, 0) for n in range(5)])]
    [2, 2, 1]
    """
    part: list[Entry] = []
    size = 0
    for entry in found:
        if part and (len(part) == MAX_FILES or size + entry.size > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part
