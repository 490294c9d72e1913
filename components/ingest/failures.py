"""An error that a person can act on, carried out of a Beam pipeline.

Runners hand back what failed in a worker as text in an exception of their own. A worker leaves
such an error in the run's folder, and whoever started the pipeline raises it again as it was.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator

from components import files
from schemas.errors import ConfigError, DataError, ModelError, SkewlessError, StoreError

_FILE_NAME = "failure.json"
_MAX_BYTES = 1 << 18
_PARTS = ("what", "where", "expected", "remedy")
_KINDS: dict[str, type[SkewlessError]] = {
    e.__name__: e for e in (ConfigError, DataError, ModelError, StoreError)
}


@contextlib.contextmanager
def disk_errors(what: str, where: str) -> Iterator[None]:
    """Turn what the operating system refuses, such as writing to a full disk, into a DataError.

    Args:
      what: is being written, such as "the examples".
      where: the folder or file that it belongs to.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{what} cannot be written: {error}",
            where=where,
            remedy="see that the folder can be written to and its disk has room",
        ) from error


def reserve(folder: str) -> None:
    """Make room for an error in `folder`, which may be on a disk that will be full by then."""
    if files.in_store(folder):
        return
    with open(os.path.join(folder, _FILE_NAME), "wb") as file:
        file.write(b" " * _MAX_BYTES)


@contextlib.contextmanager
def keep_failure(folder: str, writing: str) -> Iterator[None]:
    """Leave a `SkewlessError`, or an OSError as one, in `folder` on its way out of a worker.

    Args:
      folder: in which `reserve` has made room.
      writing: what the worker writes, such as "the examples".
    """
    try:
        with disk_errors(writing, os.path.dirname(folder)):
            yield
    except SkewlessError as error:
        record = {"kind": type(error).__name__, **{n: _cut(getattr(error, n)) for n in _PARTS}}
        with contextlib.suppress(StoreError):  # which is what this one may tell of
            _keep(os.path.join(folder, _FILE_NAME), json.dumps(record).encode())
        raise


def _keep(path: str, record: bytes) -> None:
    if files.in_store(path):
        files.write_whole(path, record)
        return
    with open(path, "r+b") as file:  # into the room that was made
        file.write(record.ljust(_MAX_BYTES))


def kept_failure(folder: str) -> SkewlessError | None:
    """Return the error that a worker left in `folder`, if one did."""
    path = os.path.join(folder, _FILE_NAME)
    text = files.read_bytes(path).strip() if files.is_file(path) else b""
    if not text:
        return None
    record = json.loads(text)
    return _KINDS[record["kind"]](**{n: record[n] for n in _PARTS})


def _cut(text: str | None) -> str | None:
    """Cut a text so that all of them fit: JSON needs up to twelve bytes a character."""
    return None if text is None else text[: _MAX_BYTES // (12 * len(_PARTS)) - 16]
