"""Turns a library's error about a full disk or too little memory into one plain error.

Any other error gives None. After a full disk every command has the exit code for data that cannot
be written.
"""

from __future__ import annotations

import contextlib
import errno
import resource
from collections.abc import Iterator

from schemas.errors import DataError, SkewlessError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Messages of the operating system, SQLite and C++ libraries; they may be part of a longer message.
_FULL_SAID = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "database or disk is full",
)
_MEMORY_SAID = (
    "std::bad_alloc",
    "Cannot allocate memory",
    "cannot allocate memory",
    "failed to map segment from shared object",
    "can't start new thread",
    "malloc of size",  # Arrow
    "realloc of size",
    "OOM when allocating",  # TensorFlow
)
_LIMITS = (("ulimit -v", resource.RLIMIT_AS), ("ulimit -d", resource.RLIMIT_DATA))


def shortage(what: str, error: BaseException, where: str | None = None) -> SkewlessError | None:
    """Return the error for a full disk or too little memory; None for any other.

    Args:
      what: what failed, such as "transform failed".
      error: the exception; its causes are searched, too.
      where: the folder that is written to, for errors that name no file.
    """
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in _FULL:
            return _full_disk(what, one.filename or where)
        if any(words in str(one) for words in _FULL_SAID):
            return _full_disk(what, where)
        if isinstance(one, MemoryError) or any(words in str(one) for words in _MEMORY_SAID):
            return too_little_memory(what)
    return None


@contextlib.contextmanager
def noticing_shortages(what: str, where: str | None = None) -> Iterator[None]:
    """Replace an exception of the block by the error for a shortage, if that is the cause.

    Raises:
      DataError: a disk is full.
      SkewlessError: there is too little memory.
    """
    try:
        yield
    except SkewlessError:
        raise
    except Exception as error:
        if (lack := shortage(what, error, where)) is not None:
            raise lack from error
        raise


def too_little_memory(what: str) -> SkewlessError:
    """Return the error for a lack of memory; names the limit if there is one."""
    limits = limited()
    if not limits:
        return SkewlessError(
            f"{what}: there is not enough memory",
            remedy="free some, or lower examples.batch_rows or model.batch_size in pipeline.yaml",
        )
    return SkewlessError(
        f"{what}: the memory that a process may reserve is too small",
        where=", ".join(f"{name}: {kib:,} KiB" for name, kib in limits.items()),
        expected="no such limit: TensorFlow, Arrow and Beam reserve much more than they use",
        remedy=f"{next(iter(limits))} unlimited; to bound memory, limit a cgroup or a container",
    )


def limited() -> dict[str, int]:
    """Return the limits on memory that a process may reserve, in KiB, by the command for each."""
    soft = {name: resource.getrlimit(number)[0] for name, number in _LIMITS}
    return {name: n >> 10 for name, n in soft.items() if n != resource.RLIM_INFINITY}


def _full_disk(what: str, where: str | None) -> DataError:
    return DataError(
        f"{what}: the disk is full",
        where=where,
        remedy="make room, or give another --output; then run again to go on from there",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, the last one first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
