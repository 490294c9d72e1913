"""Remembers the digests of files, so that files that look unchanged are not read again.

A file is identified by its path, size, inode and the times of its last change (mtime and ctime).
The system sets ctime whenever content is written, and no program can set it, so a file whose mtime
was reset is still read again. A file that changed less than two seconds before it was read is read
again, too: a second change may have the same time. Checking a file costs one `stat`, whatever its
size. The cache cannot notice content that changed without a write, on a failing disk; push reads
the whole model that it publishes again.

Files in a store are not remembered: the store's listing has tags for their content (`stores.tags`).
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from components import content, files

_FORMAT = 1
_SETTLED_NS = 2_000_000_000  # the coarsest clock of a file system in use

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Look:
    """The attributes of a file by which a change is noticed."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def at(cls, path: str) -> _Look:
        stat = os.stat(path)
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


@dataclass(frozen=True)
class _Known:
    """The digest of a file, its attributes, and the time of reading."""

    look: _Look
    at_ns: int
    digest: str

    def holds_for(self, look: _Look) -> bool:
        last = max(look.changed_ns, look.modified_ns)
        return look == self.look and last + _SETTLED_NS < self.at_ns


class DigestCache:
    """SHA-256 digests of local files by path, kept in a JSON file.

    Args:
      path: the JSON file; a missing or unreadable one counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _read(path)
        self._known = dict(self._before)

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 of each file's content; reads only files that look changed.

        Raises:
          OSError: a file does not exist, or cannot be read.
        """
        now = time.time_ns()  # before the stat: anything written from here on counts as unsettled
        looks = {path: _Look.at(path) for path in paths}
        unknown = {
            path: look.size
            for path, look in looks.items()
            if (known := self._known.get(path)) is None or not known.holds_for(look)
        }
        for path, digest in content.of_files(unknown).items():
            self._known[path] = _Known(looks[path], now, digest)
        return {path: self._known[path].digest for path in looks}

    def before(self, folder: str) -> dict[str, str]:
        """Return the digests of files below a folder at the time of opening, by relative path."""
        start = f"{folder.rstrip('/')}/"
        return {
            files.below(path, folder): known.digest
            for path, known in self._before.items()
            if path.startswith(start)
        }

    def save(self) -> None:
        """Write the file if anything is new; files that no longer exist are dropped."""
        if self._known == self._before:
            return
        kept = {
            path: [*astuple(known.look), known.at_ns, known.digest]
            for path, known in self._known.items()
            if os.path.exists(path)
        }
        files.write_whole(str(self._path), json.dumps({"format": _FORMAT, "files": kept}))


@contextmanager
def opened(path: Path) -> Iterator[DigestCache]:
    """Yield a cache that is saved at the end, even after an error."""
    cache = DigestCache(path)
    try:
        yield cache
    finally:
        try:
            cache.save()
        except OSError:  # this costs only time in the next run
            _logger.exception("%s was not written", path)


def _read(path: Path) -> dict[str, _Known]:
    try:
        saved = json.loads(path.read_bytes())
        if saved["format"] != _FORMAT:
            return {}
        return {
            name: _Known(_Look(size, modified, changed, inode), at, digest)
            for name, (size, modified, changed, inode, at, digest) in saved["files"].items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        _logger.warning("%s cannot be read; files are digested again", path, exc_info=True)
        return {}
