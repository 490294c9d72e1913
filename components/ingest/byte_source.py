"""A source file → its bytes, unpacked if gzipped; what goes wrong is told with the file's name."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import IO

from components import files
from schemas.errors import DataError


class ByteSource:
    """Reads one file from start to end; a context manager.

    Attributes:
      path: the file.
      size: the file's bytes on disk.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._file = files.open_read(path)
            self.size = self._file.seek(0, os.SEEK_END)
            self._file.seek(0)
        except OSError as error:
            raise self._unreadable(error) from error
        self._stream: IO[bytes] = self._file
        if path.endswith(".gz"):
            self._stream = gzip.GzipFile(fileobj=self._file)  # type: ignore[assignment]

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end of the file.

        Raises:
          DataError: the file cannot be read, or is damaged.
        """
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(error) from error

    @property
    def consumed(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._file.tell()

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(
            f"the source cannot be read: {error}",
            where=self.path,
            expected="a readable CSV file, plain or gzipped (.gz)",
        )
