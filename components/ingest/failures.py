"""Carries a readable error out of a Beam pipeline.

Runners return a worker's failure as text in an exception of their own. A worker therefore writes
its error to the run's folder, and the process that started the pipeline raises it again unchanged.
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
    """Turn errors of the operating system, such as a full disk, into a DataError.

    Args:
      what: what is being written, such as "the examples".
      where: the folder or file for the message.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{what} cannot be written: {error}",
            where=where,
            remedy="check that the folder can be written to and its disk has room",
        ) from error


def reserve(folder: str) -> None:
    """Reserve space for an error in `folder`, whose disk may be full later."""
    if files.in_store(folder):
        return
    with open(os.path.join(folder, _FILE_NAME), "wb") as file:
        file.write(b" " * _MAX_BYTES)


@contextlib.contextmanager
def keep_failure(folder: str, writing: str) -> Iterator[None]:
    """Write a `SkewlessError`, or an OSError as one, to `folder` before it leaves the worker.

    Args:
      folder: a folder in which `reserve` has made room.
      writing: what the worker writes, such as "the examples".
    """
    try:
        with disk_errors(writing, os.path.dirname(folder)):
            yield
    except SkewlessError as error:
        record = {"kind": type(error).__name__, **{n: _cut(getattr(error, n)) for n in _PARTS}}
        with contextlib.suppress(StoreError):  # the error itself may be about the store
            _keep(os.path.join(folder, _FILE_NAME), json.dumps(record).encode())
        raise


def _keep(path: str, record: bytes) -> None:
    if files.in_store(path):
        files.write_whole(path, record)
        return
    with open(path, "r+b") as file:  # overwrites the reserved space
        file.write(record.ljust(_MAX_BYTES))


def kept_failure(folder: str) -> SkewlessError | None:
    """Return the error that a worker left in `folder`, or None."""
    path = os.path.join(folder, _FILE_NAME)
    text = files.read_bytes(path).strip() if files.is_file(path) else b""
    if not text:
        return None
    record = json.loads(text)
    return _KINDS[record["kind"]](**{n: record[n] for n in _PARTS})


def _cut(text: str | None) -> str | None:
    """Shorten a text so that all texts fit: JSON needs up to twelve bytes for a character."""
    return None if text is None else text[: _MAX_BYTES // (12 * len(_PARTS)) - 16]
