"""Reads a file of JSON lines in blocks of whole lines, whose numbers are known.

A line ends with LF or CRLF; the last one may have no end. Blank lines are not records. The bytes of
at most two blocks are in memory, however large the file is; a longer line is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from components.sources.byte_source import TextFormat
from components.sources.csv_blocks import MAX_RECORD_BYTES, ByteStream
from components.sources.magic import JSON_LINES
from schemas.errors import DataError

TEXT = TextFormat("JSON lines", (JSON_LINES,))
SPACES = b" \t\r\n"  # what JSON allows between values

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """Consecutive lines of a file.

    Attributes:
      data: the bytes of the lines, including blank ones, in order; each line has its LF.
      numbers: int64 of shape [records], the number of each record's line in the file, from 1.
      starts: the same for the start of each record's line in `data`.
      ends: the same for the end, before its LF.
    """

    data: bytes
    numbers: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def record(self, index: int) -> bytes:
        """Return a record's bytes without its line end."""
        return self.data[self.starts[index] : self.ends[index]].removesuffix(b"\r")


def read_lines(source: ByteStream, *, block_bytes: int) -> Iterator[Lines]:
    """Yield a source's records in order, in blocks of about `block_bytes`.

    Raises:
      DataError: the source cannot be read, or a line is longer than `MAX_RECORD_BYTES`.
    """
    number, rest, final = 1, b"", False
    while not final:
        chunk = source.read(block_bytes)
        final = len(chunk) < block_bytes
        data = rest + chunk
        if final and not data.endswith(b"\n"):
            data += b"\n"
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if end:
            lines, count = _lines(data[:end].removeprefix(_BOM if number == 1 else b""), number)
            if len(lines):
                yield lines
            number += count
        if len(rest) > MAX_RECORD_BYTES:
            raise DataError(
                f"a record is longer than {MAX_RECORD_BYTES:,} bytes",
                where=f"{source.path}:{number}",
                expected="JSON lines: an object in each line",
                remedy="write each object on a line of its own: jq -c . FILE > NEW-FILE",
            )


def _lines(data: bytes, number: int) -> tuple[Lines, int]:
    """Find the lines, whose first one has this number, and return them and how many there are."""
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    spaced = np.flatnonzero(np.isin(text[starts], list(SPACES)))
    blank = [at for at in spaced.tolist() if not data[starts[at] : ends[at]].strip(SPACES)]
    numbers = number + np.arange(len(ends))
    lines = Lines(data, *(np.delete(each, blank) for each in (numbers, starts, ends)))
    return lines, len(ends)
