"""Remembers what files hold, so that files that look unchanged are not read again.

A file is remembered by its path, size, inode and the times of its last change (mtime and ctime).
The system sets ctime whenever content is written and gives no program a way to set it, so a file
whose mtime was set back is read again. A file that had changed less than two seconds before it was
read is read again, too: a second change may have got the same time. To check a file costs one
`stat`, whatever its size. What this cannot notice is content that changed without a write, on a
failing disk; push reads the model that it publishes again in full.

Files in a store are not remembered: a store's listing says what they hold (`stores.tags`).
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
    """What the file system says of a file."""

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
    """What a file held, how it looked, and when that was."""

    look: _Look
    at_ns: int
    digest: str

    def holds_for(self, look: _Look) -> bool:
        last = max(look.changed_ns, look.modified_ns)
        return look == self.look and last + _SETTLED_NS < self.at_ns


class DigestCache:
    """SHA-256 digests of files by path, kept in a JSON file; for local files alone.

    Args:
      path: the file; one that is missing or cannot be read is as good as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _read(path)
        self._known = dict(self._before)

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 of each file's content, read only where the file looks changed.

        Raises:
          OSError: a file is not there, or cannot be read.
        """
        now = time.time_ns()  # before looking: what is written from here on counts as unsettled
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
        """Return what files below a folder held when the cache was opened, by relative path."""
        start = f"{folder.rstrip('/')}/"
        return {
            files.below(path, folder): known.digest
            for path, known in self._before.items()
            if path.startswith(start)
        }

    def save(self) -> None:
        """Write the file if there is anything new; files that are gone are forgotten."""
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
    """Yield a cache that is saved at the end, however that comes about."""
    cache = DigestCache(path)
    try:
        yield cache
    finally:
        try:
            cache.save()
        except OSError:  # only the next run's time is lost
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
