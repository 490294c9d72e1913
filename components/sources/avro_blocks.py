"""Reads and writes the frame of Avro files: the header, and blocks of records with their codecs.

Source: "Object Container Files" in Avro's specification. fastavro decodes the records; it cannot
unpack Snappy without another package, and takes a file that ends within a block's head for whole.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Protocol

import pyarrow as pa

MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_LONGEST = 10  # bytes of a 64-bit number
_MOST_ENTRIES = 10_000  # of a header, which has a handful
_MOST_BYTES = 1 << 26  # of a block, unpacked, which writers end after kilobytes


@dataclass(frozen=True)
class AvroHeader:
    """The beginning of an Avro file.

    Attributes:
      schema: the records' schema, as JSON.
      codec: the name of the blocks' compression.
      sync: the bytes that end each block.
      size: of the header, in bytes.
    """

    schema: Any
    codec: str
    sync: bytes
    size: int


class AvroBlock(NamedTuple):
    """Records of a file, encoded: how many, their bytes, and how many bytes the block has in it."""

    records: int
    data: bytes
    size: int


def read_header(file: IO[bytes]) -> AvroHeader:
    """Read a file's header.

    Raises:
      OSError: it has none, or a damaged one.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise OSError("it does not begin as an Avro file")
    entries: dict[bytes, bytes] = {}
    while count := _number(file):
        if count < 0:  # the size of this part of the map follows
            count = -count
            _number(file)
        if count > _MOST_ENTRIES:
            raise OSError("the header has a wrong length")
        for _ in range(count):
            key = _bytes(file)
            entries[key] = _bytes(file)
    sync = _exactly(file, _SYNC_BYTES)
    try:
        schema = json.loads(entries[b"avro.schema"])
        codec = entries.get(b"avro.codec", b"null").decode()
    except (KeyError, ValueError, RecursionError) as error:
        raise OSError("the header has no schema") from error
    if codec not in _CODECS:
        raise OSError(f"its codec is {codec}; known are {', '.join(_CODECS)}")
    return AvroHeader(schema, codec, sync, file.tell())


def read_blocks(file: IO[bytes], header: AvroHeader) -> Iterator[AvroBlock]:
    """Yield the blocks that follow a header.

    Raises:
      OSError: the file ends within a block, or one is damaged.
    """
    unpacked = _CODECS[header.codec]
    begin = header.size
    while file.read(1):
        file.seek(-1, os.SEEK_CUR)
        count = _number(file)
        packed = _bytes(file)
        if count < 0 or _exactly(file, _SYNC_BYTES) != header.sync:
            raise OSError(f"the block at byte {begin} is damaged")
        try:
            data = unpacked(packed)
            if len(data) > _MOST_BYTES:  # a few bytes can become gigabytes
                raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        except (ValueError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
            raise OSError(f"the block at byte {begin} cannot be unpacked: {error}") from error
        yield AvroBlock(count, data, file.tell() - begin)
        begin = file.tell()


def write_file(file: IO[bytes], schema: Any, records: Iterable[bytes]) -> None:
    """Write a file, not compressed, of encoded records of a schema."""
    sync = os.urandom(_SYNC_BYTES)
    entries = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": b"null"}
    file.write(MAGIC + _encoded(len(entries)))
    for key, value in entries.items():
        file.write(_encoded(len(key)) + key + _encoded(len(value)) + value)
    file.write(_encoded(0) + sync)
    for record in records:  # a block of one costs 20 bytes, and every reader takes it
        file.write(_encoded(1) + _encoded(len(record)) + record + sync)


def _encoded(number: int) -> bytes:
    r"""Return a number from 0 in Avro's encoding.

    >>> _encoded(0), _encoded(1), _encoded(64)
    (b'\x00', b'\x02', b'\x80\x01')
    """
    rest, encoded = number << 1, bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])


def _number(file: IO[bytes]) -> int:
    """Return the next number, which is zigzag-encoded with a variable length."""
    value = 0
    for position in range(_LONGEST):
        (byte,) = _exactly(file, 1)
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
    raise OSError("a number has a wrong length")


def _bytes(file: IO[bytes]) -> bytes:
    size = _number(file)
    if size < 0:
        raise OSError("a length is negative")
    return _exactly(file, size)


def _exactly(file: IO[bytes], size: int) -> bytes:
    try:
        data = file.read(size)
    except (OverflowError, MemoryError):  # of a size that no file has
        data = b""
    if len(data) < size:
        raise OSError("the file ends within a block")
    return data


class _Decompressor(Protocol):
    """What unpacks at most so many bytes, as the standard library's classes do."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _begun(decompressor: _Decompressor, data: bytes) -> bytes:
    """Return what data unpacks to; of more than `_MOST_BYTES`, one byte more."""
    plain = decompressor.decompress(data, _MOST_BYTES + 1)
    if len(plain) <= _MOST_BYTES and not decompressor.eof:
        raise EOFError("it ends early")
    return plain


def _deflated(data: bytes) -> bytes:
    return _begun(zlib.decompressobj(wbits=-15), data)


def _bzip2(data: bytes) -> bytes:
    return _begun(bz2.BZ2Decompressor(), data)


def _xz(data: bytes) -> bytes:
    return _begun(lzma.LZMADecompressor(), data)


def _snappy(data: bytes) -> bytes:
    """Unpack Snappy's raw format, which begins with the length, and which a checksum follows."""
    size, shift = 0, 0
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > _MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes")
    plain: bytes = pa.decompress(data[:-4], size, codec="snappy", asbytes=True)
    if zlib.crc32(plain).to_bytes(4, "big") != data[-4:]:
        raise ValueError("its checksum is wrong")
    return plain


def _zstandard(data: bytes) -> bytes:
    with pa.CompressedInputStream(io.BytesIO(data), "zstd") as stream:
        plain: bytes = stream.read(_MOST_BYTES + 1)
    return plain


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _deflated,
    "snappy": _snappy,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstandard": _zstandard,
}
