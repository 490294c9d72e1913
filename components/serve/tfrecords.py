"""TFRecord files, written by TensorFlow; errors are OSErrors, as for other files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class TFRecords:
    """A TFRecord file, written by TensorFlow; a `Writer` of the request log."""

    def __init__(self, path: str) -> None:
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
        except tf.errors.OpError as error:
            raise OSError(error.message) from error
