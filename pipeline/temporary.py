"""A separate folder for the temporary files of a command and of the libraries that it uses.

Beam leaves a folder for each pipeline, TensorFlow a file of generated code, and a killed command
leaves all of its files. With this folder, a command leaves nothing in the temporary folder once it
has ended, and the next command removes what a killed one left. A folder is removed only if it has
our name, belongs to the same user and is not locked; the operating system releases the lock of a
process that dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator

from pipeline.shortages import shortage
from schemas.errors import ConfigError

# Temporary folders of `components/files` begin with "skewless-", too, but have no second hyphen.
PREFIX = "skewless-command-"
VARIABLE = "TMPDIR"  # read by libraries in other languages and by child processes


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """Send all temporary files of this process to a new folder, removed at the end of the block.

    Yields:
      The folder of temporary files before, for files that have to stay.

    Raises:
      DataError: the disk is full.
      ConfigError: the folder cannot be created for another reason.
    """
    before, variable = tempfile.tempdir, os.environ.get(VARIABLE)
    try:
        parent = tempfile.gettempdir()
        sweep(parent)
        folder, lock = _make(parent)
    except OSError as error:
        what = "no temporary files can be written"
        raise shortage(what, error) or ConfigError(
            f"{what}: {error}", remedy=f"name a folder in {VARIABLE} that can be written to"
        ) from error
    tempfile.tempdir = os.environ[VARIABLE] = folder
    try:
        yield parent
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = variable
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(parent: str) -> None:
    """Remove the folders in `parent` that dead commands left."""
    with os.scandir(parent) as entries:
        folders = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    for path in folders:
        with contextlib.suppress(OSError):  # another user's, not a folder, or already removed
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid() and _take(lock, path):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def _make(parent: str) -> tuple[str, int]:
    """Return a new folder and the descriptor that holds its lock."""
    while True:
        folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if _take(lock, folder):
                return folder, lock
        except OSError:  # the file system has no locks, so no other process gets this one either
            return folder, lock
        os.close(lock)  # another process removed it before it was locked


def _take(lock: int, path: str) -> bool:
    """Lock a folder; return whether this process holds the lock and the folder still exists.

    Raises:
      OSError: its file system has no locks.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
