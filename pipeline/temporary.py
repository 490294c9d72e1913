"""A folder of its own for the temporary files of a command and of the libraries that it uses.

Beam leaves a folder for each pipeline, TensorFlow a file of generated code, and a command that is
killed whatever it had there. Promised: nothing of a command is left in the temporary folder once it
has ended, and the next command removes what was left by one that was killed. Nothing else is
touched: a folder is removed only if it has our name, belongs to the same user and nobody holds its
lock, which the system takes from a process when it dies.
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

# A temporary folder of `components/files` begins with "skewless-", too, but has no second hyphen.
PREFIX = "skewless-command-"
VARIABLE = "TMPDIR"  # which libraries in other languages and child processes read


@contextlib.contextmanager
def own_folder() -> Iterator[str]:
    """Send all temporary files of this process to a new folder, removed at the end of the block.

    Yields:
      The folder that temporary files went to before: for what has to stay.

    Raises:
      DataError: the disk is full.
      ConfigError: the folder cannot be made for another reason.
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
    """Remove the folders in `parent` of commands that have died."""
    with os.scandir(parent) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    for path in found:
        with contextlib.suppress(OSError):  # another user's, not a folder, or gone by now
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
        except OSError:  # a file system without locks: nobody else gets this one either
            return folder, lock
        os.close(lock)  # it was swept before it was locked


def _take(lock: int, path: str) -> bool:
    """Lock a folder; return whether this process holds it and it is still there.

    Raises:
      OSError: its file system has no locks.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
