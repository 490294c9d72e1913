"""A source file → its bytes, unpacked if gzipped; what goes wrong is reported with the file's name.

A file of another kind, whatever its name, is refused with what it is and what to do with it.
"""

from __future__ import annotations

import gzip
import os
import zlib
from typing import IO

from components import files
from components.sources.magic import GZIP, HEAD_BYTES, kind_of
from schemas.errors import DataError


class ByteSource:
    """Reads one file from start to end; a context manager.

    Attributes:
      path: the file.
      size: the file's bytes on disk.

    Raises:
      DataError: the file is missing or unreadable, or of another kind than its name says.
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
        try:
            if path.endswith(".gz"):
                self._stream = self._unpacked()
            self._check_kind()
        except BaseException:
            self._file.close()
            raise

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end of the file.

        Raises:
          DataError: the file cannot be read, or is damaged.
        """
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(error) from error

    def _unpacked(self) -> IO[bytes]:
        """Return the stream of what is in a gzipped file."""
        head = self._file.read(HEAD_BYTES)
        self._file.seek(0)
        found = kind_of(head)
        if head and found is not GZIP:
            name = found.name if found else "text"
            raise DataError(
                f"the file is {name}, not gzipped as its name says",
                where=self.path,
                expected="a CSV file, packed by gzip",
                remedy=found.remedy if found else "rename it so that it does not end in .gz",
            )
        return gzip.GzipFile(fileobj=self._file)  # type: ignore[return-value]

    def _check_kind(self) -> None:
        """Check that what is read is text that may be CSV, and go back to its start."""
        found = kind_of(self.read(HEAD_BYTES))
        if found is not None:
            packed = " inside gzip" if self._stream is not self._file else ""
            raise DataError(
                f"the file is {found.name}{packed}, not CSV",
                where=self.path,
                expected="a CSV file in UTF-8, plain or gzipped (.gz)",
                remedy=found.remedy,
            )
        self._stream.seek(0)

    @property
    def consumed(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._file.tell()

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _unreadable(self, error: Exception) -> DataError:
        damaged = isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error))
        return DataError(
            f"the source cannot be read: {error}",
            where=self.path,
            expected="a readable CSV file, plain or gzipped (.gz)",
            remedy="it is damaged, or was not copied to its end: copy it again"
            if damaged
            else None,
        )
