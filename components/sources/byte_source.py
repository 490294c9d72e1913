"""Reads the bytes of a source file, and unpacks gzip; errors have the file's name.

A file in another format is refused, whatever its name; the error names the format and a remedy.
"""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from typing import IO

from components import files
from components.sources.magic import GZIP, HEAD_BYTES, FileKind, kind_of
from schemas.errors import DataError


@dataclass(frozen=True)
class TextFormat:
    """A format of text that a reader expects.

    Attributes:
      name: for "a … file".
      kinds: what the first bytes of such files are recognized as, if anything.
    """

    name: str
    kinds: tuple[FileKind, ...] = ()


CSV = TextFormat("CSV")


class ByteSource:
    """Reads one file from start to end; a context manager.

    Args:
      path: the file.
      expected: the format that it should have.

    Attributes:
      path: the file.
      size: the file's bytes on disk.

    Raises:
      DataError: the file is missing or unreadable, or has another format than its name says.
    """

    def __init__(self, path: str, expected: TextFormat = CSV) -> None:
        self.path = path
        self._expected = expected
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
        """Return the stream of a gzipped file's content."""
        head = self._file.read(HEAD_BYTES)
        self._file.seek(0)
        kind = kind_of(head)
        if head and kind is not GZIP:
            name = kind.name if kind else "text"
            raise DataError(
                f"the file is {name}, not gzipped as its name says",
                where=self.path,
                expected=f"a {self._expected.name} file, packed by gzip",
                remedy=kind.remedy if kind else "rename it so that it does not end in .gz",
            )
        return gzip.GzipFile(fileobj=self._file)  # type: ignore[return-value]

    def _check_kind(self) -> None:
        """Check that the content may have the expected format, and go back to its start."""
        kind = kind_of(self.read(HEAD_BYTES))
        if kind is not None and kind not in self._expected.kinds:
            packed = " inside gzip" if self._stream is not self._file else ""
            raise DataError(
                f"the file is {kind.name}{packed}, not {self._expected.name}",
                where=self.path,
                expected=f"a {self._expected.name} file in UTF-8, plain or gzipped (.gz)",
                remedy=kind.remedy,
            )
        self._stream.seek(0)

    @property
    def consumed(self) -> int:
        """The number of bytes on disk that have been read."""
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
            expected=f"a readable {self._expected.name} file, plain or gzipped (.gz)",
            remedy="it is damaged or incomplete: copy it again" if damaged else None,
        )
