"""Reads a CSV file, or a range of it: large files are divided, to be read in parallel.

A range begins and ends with a record. Only the quotes of all that is before a line end show whether
it ends a record, so the same code that reads a file finds the ranges, and counts their lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.sources.byte_source import ByteSource
from components.sources.csv_blocks import (
    BLOCK_BYTES,
    BOM,
    Records,
    only_records,
    read_blocks,
    whole_records,
)
from components.sources.rules import Dialect

RANGE_BYTES = 256 << 20


@dataclass(frozen=True)
class Range:
    """Consecutive records of a file.

    Attributes:
      start: the offset of the first one.
      end: the offset after the last one.
      line: the physical line in which the first one starts, from 1.
    """

    start: int
    end: int
    line: int


class _Bytes:
    """The bytes of a range, as a `ByteStream`."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self.path = source.path
        self._source, self._left = source, size

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end of the range."""
        data = self._source.read(min(size, self._left))
        self._left -= len(data)
        return data


def read_records(path: str, dialect: Dialect, part: Range | None = None) -> Iterator[Records]:
    """Yield a file's records in order, without the header, in blocks of some megabytes.

    Args:
      path: the file.
      dialect: how records and values are separated.
      part: the range to read; None for all.

    Raises:
      DataError: the file cannot be read, or a record is too large.
    """
    with ByteSource(path, encoding=dialect.encoding) as source:
        for position, block in enumerate(_blocks(source, dialect, part)):
            is_header = position == 0 and dialect.header and (part is None or part.start == 0)
            rest = block.without_first() if is_header else block
            if len(rest):
                yield rest


def _blocks(source: ByteSource, dialect: Dialect, part: Range | None) -> Iterator[Records]:
    if part is None:
        return read_blocks(source, dialect)
    source.start_at(part.start)
    return read_blocks(_Bytes(source, part.end - part.start), dialect, line=part.line)


def find_ranges(
    path: str,
    dialect: Dialect,
    *,
    range_bytes: int = RANGE_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> list[Range]:
    """Divide a file into ranges; none if it is small, packed or encoded.

    The whole file is read.

    Args:
      path: the file.
      dialect: how records and values are separated.
      range_bytes: about how many bytes a range has.
      block_bytes: how many bytes are read at a time.

    Raises:
      DataError: the file cannot be read, or a record is too large.
    """
    with ByteSource(path, encoding=dialect.encoding) as source:
        if not source.is_plain or source.size < 2 * range_bytes:
            return []
        return list(_ranges(source, dialect, range_bytes, block_bytes))


def _ranges(
    source: ByteSource, dialect: Dialect, range_bytes: int, block_bytes: int
) -> Iterator[Range]:
    start, line, has_header = 0, 1, False
    at = len(BOM) if source.read(len(BOM)) == BOM else 0
    source.start_at(0)
    for records in whole_records(source, dialect, block_bytes=block_bytes):
        if has_header and at - start >= range_bytes:
            yield Range(start, at, line)
            start, line = at, records.line
        has_header = has_header or len(only_records(records, dialect.comment)) > 0
        at += len(records.data)
    yield Range(start, at, line)
