"""TFRecords → their bytes, as far as they can be read, also of files that are damaged or gzipped.

An open file gives every record whose checksum is right. Damage affects only the records that
contain it, and all of it is counted. TensorFlow's own reader ends at the first damaged record.

A record is its length (8 bytes) with a checksum (4), then its bytes with theirs (4). Source:
TensorFlow's record_writer.h.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import google_crc32c
from google.protobuf.message import DecodeError

_CHUNK = 1 << 20
_HEAD, _TAIL = 12, 4
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_GZIP = b"\x1f\x8b"
_GZIP_BITS = 31  # zlib's number for gzip's own header
# A length is 8 bytes, of which those of any record under 4 GiB end so.
_LENGTH_END = b"\0\0\0\0"


@dataclass
class Damage:
    """What of a file could not be read.

    Attributes:
      records: whose checksum is wrong.
      gaps: places where the length of a record is damaged: reading went on at the next record that
        is sound, if there is one.
      cut: whether the file ends within a record, or its compressed data before their end.
    """

    records: int = 0
    gaps: int = 0
    cut: bool = False

    def __bool__(self) -> bool:
        return bool(self.records or self.gaps or self.cut)


def records(file: IO[bytes], damage: Damage, *, strict: bool = False) -> Iterator[bytes]:
    """Yield the records of a TFRecord file, also of a gzipped one.

    Args:
      file: to read from its start.
      damage: gets what cannot be read.
      strict: whether the first damage ends the reading.
    """
    window = _Window(_chunks(file, damage))
    while head := window.peek(_HEAD):
        if len(head) < _HEAD:
            damage.cut = True
            return
        length = _length(head)
        if length is None:
            damage.gaps += 1
            if strict or not _seek_record(window):
                return
            continue
        whole = window.peek(_HEAD + length + _TAIL)
        if len(whole) < _HEAD + length + _TAIL:
            damage.cut = True
            return
        record = whole[_HEAD : _HEAD + length]
        window.skip(len(whole))
        if _masked(record) == _CHECKSUM.unpack(whole[-_TAIL:])[0]:
            yield record
        else:
            damage.records += 1
            if strict:
                return


def framed(record: bytes) -> bytes:
    """Return the bytes of a record in a file."""
    length = _LENGTH.pack(len(record))
    return b"".join(
        [length, _CHECKSUM.pack(_masked(length)), record, _CHECKSUM.pack(_masked(record))]
    )


def begins(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is one of TFRecords, not gzipped."""
    return len(head) >= _HEAD and _length(head[:_HEAD]) is not None


def _length(head: bytes) -> int | None:
    """Return the length that a record's head gives; None if its checksum is wrong."""
    if _masked(head[:8]) != _CHECKSUM.unpack_from(head, 8)[0]:
        return None
    length: int = _LENGTH.unpack_from(head)[0]
    return length


def _seek_record(window: _Window) -> bool:
    """Skip what is damaged, up to the next head that is sound; return whether there is one."""
    window.skip(1)
    while len(part := window.peek(_CHUNK)) >= _HEAD:
        at = part.find(_LENGTH_END, 4)
        while 0 <= at <= len(part) - 8:
            head = part[at - 4 : at + 8]
            if _length(head) is not None:
                window.skip(at - 4)
                return True
            # Zeros alone are not a head, and a file that was not written out has millions of them.
            zeros = 0 if any(head) else len(part) - at - len(part[at:].lstrip(b"\0"))
            at = part.find(_LENGTH_END, at + max(1, zeros - _HEAD + 1))
        # A head may begin in what is left at the end.
        window.skip(max(1, len(part) - _HEAD + 1))
    return False


def _masked(data: bytes) -> int:
    """Return the checksum of data as TFRecords hold it."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


class _Window:
    """Bytes that arrive in chunks, looked at from the front.

    Args:
      chunks: the bytes.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._bytes = b""
        self._start = 0

    def peek(self, size: int) -> bytes:
        """Return so many bytes, or those that are left."""
        if len(self._bytes) - self._start < size:
            parts = [self._bytes[self._start :]]
            missing = size - len(parts[0])
            while missing > 0 and (chunk := next(self._chunks, b"")):
                parts.append(chunk)
                missing -= len(chunk)
            self._bytes, self._start = b"".join(parts), 0
        return self._bytes[self._start : self._start + size]

    def skip(self, size: int) -> None:
        """Leave bytes behind that were looked at."""
        self._start += size


def _chunks(file: IO[bytes], damage: Damage) -> Iterator[bytes]:
    """Yield a file's bytes, unpacked if it is gzipped; never an empty chunk."""
    first = file.read(_CHUNK)
    if first.startswith(_GZIP):
        yield from _unpacked(file, first, damage)
        return
    while first:
        yield first
        first = file.read(_CHUNK)


def _unpacked(file: IO[bytes], packed: bytes, damage: Damage) -> Iterator[bytes]:
    """Yield what gzipped data hold, up to where they are cut short or damaged."""
    unpacker = zlib.decompressobj(_GZIP_BITS)
    while packed:
        try:
            plain = unpacker.decompress(packed, _CHUNK)
        except zlib.error:
            damage.cut = True
            return
        if plain:
            yield plain
        packed = unpacker.unconsumed_tail or unpacker.unused_data or file.read(_CHUNK)
        if unpacker.eof and packed:  # another member follows
            unpacker = zlib.decompressobj(_GZIP_BITS)
    if rest := unpacker.flush():
        yield rest
    damage.cut = damage.cut or not unpacker.eof


def parsed(message: Any, record: bytes) -> Any:
    """Return a record as a message of this class; None if it is none."""
    try:
        return message.FromString(record)
    except DecodeError:
        return None
