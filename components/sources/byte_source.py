"""Reads the bytes of a source file: unpacked, and as UTF-8; errors have the file's name.

A file in another format is refused, whatever its name; the error names the format and a remedy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from components import files
from components.sources.encoded_text import Utf8Stream
from components.sources.magic import HEAD_BYTES, FileKind, kind_of
from components.sources.packing import DAMAGES, PACKINGS, Packing, packing_of
from schemas.errors import DataError

_UTF8 = "utf-8"


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
_PACKED = ", ".join(f"{each.name} ({each.ending})" for each in PACKINGS)


class ByteSource:
    """Reads one file from start to end; a context manager.

    Args:
      path: the file.
      expected: the format that it should have.
      encoding: that of its text.

    Attributes:
      path: the file.
      size: the file's bytes on disk.

    Raises:
      DataError: the file is missing or unreadable, or has another format than its name says.
    """

    def __init__(self, path: str, expected: TextFormat = CSV, encoding: str = _UTF8) -> None:
        self.path = path
        self._expected = expected
        self._encoding = encoding
        self._packing = packing_of(path)
        try:
            self._file = files.open_read(path)
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            if self._packing is not None:
                self._check_packing(self._packing)
            self._stream = self._opened()
            self._read_ahead = b""
            self._read_ahead = self._checked_head()
        except BaseException:
            self._file.close()
            raise

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end of the file.

        Raises:
          DataError: the file cannot be read, or is damaged.
        """
        try:
            ahead = self._read_ahead[:size]
            self._read_ahead = self._read_ahead[size:]
            data: bytes = self._stream.read(size - len(ahead))
        except (OSError, *DAMAGES) as error:
            raise self._unreadable(error) from error
        return ahead + data if ahead else data

    @property
    def is_plain(self) -> bool:
        """Whether the bytes read are those on disk."""
        return self._stream is self._file

    def start_at(self, offset: int) -> None:
        """Continue at an offset of a plain file."""
        assert self.is_plain
        self._read_ahead = b""
        self._file.seek(offset)

    def _opened(self) -> Any:
        """Return the stream of the file's text as UTF-8."""
        self._file.seek(0)
        stream: Any = self._file
        if self._packing is not None:
            stream = self._packing.unpacked(stream)
        return stream if self._encoding == _UTF8 else Utf8Stream(stream, self._encoding)

    def _check_packing(self, packing: Packing) -> None:
        """Check that a file is packed as its name says."""
        self._file.seek(0)
        head = self._file.read(HEAD_BYTES)
        kind = kind_of(head)
        if head and kind is not packing.kind:
            name = kind.name if kind else "text"
            raise DataError(
                f"the file is {name}, not packed by {packing.name} as its name says",
                where=self.path,
                expected=f"a {self._expected.name} file, packed by {packing.name}",
                remedy=kind.remedy
                if kind
                else f"rename it so that it does not end in {packing.ending}",
            )

    def _checked_head(self) -> bytes:
        """Read the first bytes, and check that the content may have the expected format."""
        head = self.read(HEAD_BYTES)
        kind = kind_of(head)
        if kind is not None and kind not in self._expected.kinds:
            packed = f" inside {self._packing.name}" if self._packing else ""
            raise DataError(
                f"the file is {kind.name}{packed}, not {self._expected.name}",
                where=self.path,
                expected=f"a {self._expected.name} file, plain or packed by {_PACKED}",
                remedy=kind.remedy,
            )
        return head

    @property
    def consumed(self) -> int:
        """The number of bytes on disk that have been read."""
        return self._file.tell()

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(
            f"the source cannot be read: {error}",
            where=self.path,
            expected=f"a readable {self._expected.name} file, plain or packed by {_PACKED}",
            remedy="it is damaged or incomplete: copy it again"
            if isinstance(error, DAMAGES) or self._packing is not None
            else None,
        )
