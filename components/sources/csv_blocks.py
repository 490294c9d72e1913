"""Reads a CSV file in blocks of whole records, whose positions in the file are known.

A record ends at a line end (LF, CRLF or CR) outside of quoted values. A quote at the start of a
value opens a quoted value, a quote at its end closes it, and two quotes in it mean one (RFC 4180).
In an unquoted value a quote is an ordinary character. Blank lines and comments are not records. The
bytes of at most two blocks are in memory, however large the file is.

An unclosed quote would turn the lines up to the next quote, or the rest of the file, into one
value. Therefore, if the next quote is not at a value's end, or there is none, the record ends with
its line and is marked as not closed, and reading continues with the next line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from components.sources.rules import Dialect
from schemas.errors import DataError

BLOCK_BYTES = 16 << 20
MAX_RECORD_BYTES = 16 << 20

BOM = b"\xef\xbb\xbf"
_LF, _CR, _QUOTE = b'\n\r"'
_OPEN_FIRST, _OPEN_LATER = 2, 4  # groups of `_record_pattern`


class ByteStream(Protocol):
    """Bytes from start to end, such as a `ByteSource`; `path` is for messages."""

    path: str

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True)
class Records:
    """Consecutive records of a file.

    Attributes:
      data: the bytes of the records, including blank lines and comments, in order.
      line: the physical line in which `data` starts, from 1.
      starts: int64 of shape [records], the start of each record in `data`.
      ends: the same for the ends, including line ends.
      closed: bool of shape [records], False for records with an unclosed quote.
    """

    data: bytes
    line: int
    starts: np.ndarray
    ends: np.ndarray
    closed: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    @functools.cached_property
    def _line_ends(self) -> np.ndarray:
        return _line_ends(self.data)

    @property
    def lines(self) -> int:
        """The number of line ends."""
        return len(self._line_ends)

    def lines_of(self, records: np.ndarray) -> np.ndarray:
        """Return the physical lines, from 1, in which these records start."""
        return self.line + np.searchsorted(self._line_ends, self.starts[records], "right")

    def line_of(self, index: int) -> int:
        """Return the physical line, from 1, in which a record starts."""
        return int(self.lines_of(np.array([index]))[0])

    def record(self, index: int) -> bytes:
        """Return a record's bytes without its line end."""
        return self.data[self.starts[index] : self.ends[index]].rstrip(b"\r\n")

    def closed_records(self) -> bytes:
        """Return `data` with blank lines in place of comments and of records not closed."""
        data = bytearray(self.data)
        between = np.append(0, self.ends), np.append(self.starts, len(data))
        other = between[0] < between[1]
        for starts, ends in (
            (self.starts[~self.closed], self.ends[~self.closed]),
            (between[0][other], between[1][other]),
        ):
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                data[start:end] = b"\n" * (end - start)
        return bytes(data)

    def without_first(self) -> Records:
        """Return the block without its first record, the header."""
        end = int(self.ends[0])
        return Records(
            self.data[end:],
            self.line + len(_line_ends(self.data[:end])),
            self.starts[1:] - end,
            self.ends[1:] - end,
            self.closed[1:],
        )


def read_blocks(
    source: ByteStream, dialect: Dialect, *, block_bytes: int = BLOCK_BYTES, line: int = 1
) -> Iterator[Records]:
    """Yield a source's records, header included, in order and in blocks of about `block_bytes`.

    Args:
      source: the bytes, of which the first ones begin a record.
      dialect: how records and values are separated.
      block_bytes: how many bytes are read at a time.
      line: the number of the first line.

    Raises:
      DataError: the source cannot be read, or a record is larger than `MAX_RECORD_BYTES`.
    """
    for records in whole_records(source, dialect, block_bytes=block_bytes, line=line):
        block = only_records(records, dialect.comment)
        if len(block):
            yield block


def whole_records(
    source: ByteStream, dialect: Dialect, *, block_bytes: int = BLOCK_BYTES, line: int = 1
) -> Iterator[Records]:
    """Yield what `read_blocks` does, without the starts of records, and with all lines.

    A block's bytes follow those of the block before; a byte order mark is in none.
    """
    rest, final = b"", False
    is_first = line == 1
    while not final:
        chunk = source.read(block_bytes)
        final = len(chunk) < block_bytes
        data = rest + (chunk.removeprefix(BOM) if is_first else chunk)
        is_first = False
        ends, closed = _find_records(data, dialect, final=final)
        end = int(ends[-1]) if ends.size else 0
        if not end and len(data) > MAX_RECORD_BYTES:
            raise DataError(
                f"a record is longer than {MAX_RECORD_BYTES:,} bytes",
                where=f"{source.path}:{line}",
                expected="text with a line end after each record",
            )
        records = Records(data[:end], line, ends, ends, closed)
        yield records
        line += records.lines
        rest = data[end:]


def only_records(block: Records, comment: bytes) -> Records:
    """Find the starts of records, and leave out blank lines and comments."""
    if not block.ends.size:
        return block
    starts = np.concatenate([[0], block.ends[:-1]])
    first = np.frombuffer(block.data, np.uint8)[starts]
    keep = (first != _LF) & (first != _CR)
    if comment:
        perhaps = np.flatnonzero(first == comment[0])
        keep[perhaps] = [not block.data.startswith(comment, at) for at in starts[perhaps].tolist()]
    if keep.all():
        return replace(block, starts=starts)
    return replace(block, starts=starts[keep], ends=block.ends[keep], closed=block.closed[keep])


def _line_ends(data: bytes) -> np.ndarray:
    """Return the offsets after each line end: LF, CRLF or CR, int64."""
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == _LF) + 1
    if b"\r" in data:
        after = np.flatnonzero(text == _CR) + 1
        lone = after[(after == len(text)) | (text[np.minimum(after, len(text) - 1)] != _LF)]
        if lone.size:
            ends = np.sort(np.concatenate([ends, lone]))
    return ends


def _find_records(data: bytes, dialect: Dialect, *, final: bool) -> tuple[np.ndarray, np.ndarray]:
    """Find the whole records at the start of `data`; `final` if the file ends with it.

    Returns:
      The offsets after each record, int64, and whether the record is closed, bool.
    """
    ends = _record_ends(data, dialect, final=final)
    if ends is None:
        return _record_ends_exactly(data, dialect, final=final)
    return ends, np.ones(ends.size, bool)


def _record_ends(data: bytes, dialect: Dialect, *, final: bool) -> np.ndarray | None:
    """Find records by counting quotes; return None if that is not reliable.

    If quotes alternately open and close values, a position is in a quoted value exactly if an odd
    number of quotes precedes it. A doubled quote closes the value and opens it again.
    """
    ends = _line_ends(data)
    if data.endswith(b"\r") and not final:
        ends = ends[:-1]  # it may be the first half of a CRLF
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
    if quotes.size:
        if _has_comments(data, dialect.comment):
            return None  # quotes in them mean nothing
        text = np.frombuffer(b"\n" + data + b"\n", np.uint8)  # data[i] is text[i + 1]
        beside = np.concatenate([text[quotes[::2]], text[quotes[1::2] + 2]])
        in_turn = np.isin(beside, [_LF, _CR, _QUOTE, dialect.delimiter[0]]).all()
        quoted = np.searchsorted(quotes, ends) % 2 == 1
        if not in_turn or (quoted.any() and not dialect.multiline):
            return None
        ends = ends[~quoted]
    tail = len(data) - (int(ends[-1]) if ends.size else 0)
    if tail and final:
        return None if quotes.size % 2 else np.append(ends, len(data))
    return None if tail > MAX_RECORD_BYTES else ends


def _has_comments(data: bytes, comment: bytes) -> bool:
    """Return whether a line may be a comment; `data` begins with a line."""
    begins = data.startswith(comment) or b"\n" + comment in data or b"\r" + comment in data
    return comment != b"" and begins


def _record_ends_exactly(
    data: bytes, dialect: Dialect, *, final: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Find records one after the other, for any positions of quotes."""
    pattern = _record_pattern(dialect)
    ends, closed, at = [], [], 0
    while at < len(data):
        match = pattern.match(data, at)
        assert match is not None  # the pattern matches any bytes
        if not final:
            if match.end() == len(data) and not data.endswith(b"\n"):
                break  # the rest of the line, or of its CRLF, is still to come
            last_quote = match[_OPEN_FIRST] is not None or match[_OPEN_LATER] is not None
            if last_quote and dialect.multiline and len(data) - at <= MAX_RECORD_BYTES:
                break  # the closing quote may still come
        at = match.end()
        ends.append(at)
        closed.append(match.lastindex is None)
    return np.array(ends, np.int64), np.array(closed, bool)


@functools.lru_cache(maxsize=8)
def _record_pattern(dialect: Dialect) -> re.Pattern[bytes]:
    """Return the pattern of one record with its line end.

    A value that is not closed sets a group: an odd one if the next quote is not at a value's end,
    an even one if there is no next quote. The first value has separate groups.
    """
    within = rb'[^"]*' if dialect.multiline else rb'[^"\r\n]*'
    quoted = rb'"%b(?:""%b)*"(?!")' % (within, within)
    delimiter = re.escape(dialect.delimiter)
    end = rb"(?=[%b\r\n]|\Z)" % delimiter
    value = rb'(?:%b%b|(?=%b())"|("))?[^%b\r\n]*' % (quoted, end, quoted, delimiter)
    record = rb"%b(?:%b%b)*" % (value, delimiter, value)
    if dialect.comment:
        record = rb"(?:%b[^\r\n]*|%b)" % (re.escape(dialect.comment), record)
    return re.compile(rb"%b(?:\r\n?|\n|\Z)" % record)
