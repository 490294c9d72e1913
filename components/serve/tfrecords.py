"""TFRecord files, written by TensorFlow; errors are OSErrors, as for other files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

FRAME = 16  # bytes that the format adds to a record


class Writer(Protocol):
    """A file of records; raises OSError if it cannot be written."""

    def write(self, record: bytes) -> None:
        """Append a record."""

    def flush(self) -> None:
        """Flush to the operating system, so that the records survive this process."""

    def close(self) -> None:
        """Finish the file."""


class TFRecords:
    """A TFRecord file, written by TensorFlow; a `Writer`."""

    def __init__(self, path: str) -> None:
        import tensorflow as tf

        self._error = tf.errors.OpError
        with self._as_os_error():
            self._writer = tf.io.TFRecordWriter(path)

    def write(self, record: bytes) -> None:
        """Append a record."""
        with self._as_os_error():
            self._writer.write(record)

    def flush(self) -> None:
        """Flush to the operating system."""
        with self._as_os_error():
            self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        with self._as_os_error():
            self._writer.close()

    @contextlib.contextmanager
    def _as_os_error(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise OSError(error.message) from error
