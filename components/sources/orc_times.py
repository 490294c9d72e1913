"""The ranges of times in ORC files, from the statistics in their footer.

pyarrow reads ORC's timestamps as nanoseconds of 64 bits. One before 1677 or after 2262 silently
becomes another time; statistics show that there is one. Source: ORC's orc_proto.proto.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import pyarrow as pa

_TAIL_BYTES = 1 << 20
_FOOTER_LENGTH, _COMPRESSION = 1, 2  # fields of PostScript
_TYPES, _STATISTICS = 4, 7  # of Footer
_SUBTYPES = 2  # of Type
_TIMES = 9  # of ColumnStatistics
_LAST_OF_TIMES = 4  # of TimestampStatistics, whose first fields are the bounds
_NONE, _ZLIB, _SNAPPY, _ZSTD = 0, 1, 2, 5  # compressions


class TimeRange(NamedTuple):
    """The first and the last time of a column, in milliseconds from 1970."""

    first: int
    last: int


def time_ranges(file: IO[bytes]) -> list[TimeRange | None]:
    """Return the range of each column's times.

    Returns:
      A range for each column of the file; None if it has no times, or no statistics. Nothing at all
      if the footer is longer than a megabyte, or packed with LZ4 or LZO.

    Raises:
      OSError: the footer is damaged.
    """
    file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
    tail = file.read()
    try:
        end = len(tail) - 1 - tail[-1]
        last = dict(_fields(tail[end:-1]))
        length, compression = _number(last[_FOOTER_LENGTH]), _number(last.get(_COMPRESSION, _NONE))
        if length > end or compression not in (_NONE, _ZLIB, _SNAPPY, _ZSTD):
            return []
        footer = list(_fields(_unpacked(tail[end - length : end], compression)))
        types = [_message(value) for number, value in footer if number == _TYPES]
        statistics = [_message(value) for number, value in footer if number == _STATISTICS]
        places = [p for number, v in _fields(types[0]) if number == _SUBTYPES for p in _numbers(v)]
        return [_range(statistics[place]) if statistics else None for place in places]
    except (LookupError, ValueError, OverflowError, zlib.error, pa.ArrowException) as error:
        raise OSError(f"its footer is damaged: {error!r}") from error


def _range(statistics: bytes) -> TimeRange | None:
    for number, value in _fields(statistics):
        if number == _TIMES:
            bounds = [
                _number(v) for field, v in _fields(_message(value)) if field <= _LAST_OF_TIMES
            ]
            times = [(bound >> 1) ^ -(bound & 1) for bound in bounds]  # zigzag
            return TimeRange(min(times), max(times)) if times else None
    return None


def _unpacked(data: bytes, compression: int) -> bytes:
    """Unpack chunks, each of which has its length in the 23 bits before it."""
    if compression == _NONE:
        return data
    parts = []
    while data:
        head = int.from_bytes(data[:3], "little")
        chunk, data = data[3 : 3 + (head >> 1)], data[3 + (head >> 1) :]
        parts.append(chunk if head & 1 else _chunk(chunk, compression))
    return b"".join(parts)


def _chunk(data: bytes, compression: int) -> bytes:
    if compression == _ZLIB:
        return zlib.decompress(data, wbits=-15)
    if compression == _SNAPPY:
        size, _ = _varint(data, 0)
        plain: bytes = pa.decompress(data, size, codec="snappy", asbytes=True)
        return plain
    with pa.CompressedInputStream(io.BytesIO(data), "zstd") as stream:
        unpacked: bytes = stream.read()
    return unpacked


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a serialised message: numbers, and the bytes of the others."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}[wire]
        yield tag >> 3, message[at : at + size]
        at += size


def _numbers(value: int | bytes) -> Iterator[int]:
    """Yield the numbers of a repeated field, which may be packed."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("bytes stand for a number")
    return value


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands for a message")
    return value
