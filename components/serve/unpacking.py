"""Decompresses bodies: gzip, with one or several members, and deflate.

No body takes more memory or time than its limits allow, however it was compressed. Only small
bodies may be decompressed in the event loop (`unpacked_small`); others belong in a thread.
"""

from __future__ import annotations

import zlib

from components.serve.budget import too_long
from components.serve.failures import TOO_LARGE, RequestError

ENCODINGS = frozenset({b"gzip", b"x-gzip", b"deflate"})

_GZIP, _ZLIB = b"\x1f\x8b", 0x78
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib detects the format by the first bytes
_GZIP_ONLY = zlib.MAX_WBITS | 16
_CHUNK = 64 << 10  # the data after a member is copied, so each call gets only a part
_STEP = 1 << 20

_SMALL = 64 << 10  # bytes before and after, which takes a fifth of a millisecond

# Rows of JSON shrink to a tenth or a twentieth. Zeros, as in an attack, shrink to a thousandth, and
# so do equal rows; for these the first bytes are exempt.
_RATIO = 100
_FREE = 1 << 20
_MOST_MEMBERS = 1_000


def is_packed(message: bytes) -> bool:
    """Return whether a message begins like gzip or zlib, which no serialised request does.

    A protobuf's first byte is a field's number and type: no message has a type 7 (gzip's), and no
    request here has a field 15 (zlib's).
    """
    if message[:2] == _GZIP:
        return True
    return len(message) > 1 and message[0] == _ZLIB and (_ZLIB * 256 + message[1]) % 31 == 0


def unpacked_small(body: bytes, most: int) -> bytes | None:
    """Return the decompressed body; None if it is not small, or if `unpacked` must refuse it.

    Raises:
      RequestError: it is not compressed.
    """
    if len(body) > _SMALL:
        return None
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    plain = _decompress(unpack, body, min(_SMALL, most))
    return plain if unpack.eof and not unpack.unused_data else None


def unpacked(body: bytes, most: int) -> bytes:
    """Return the decompressed body.

    Raises:
      RequestError: it is not compressed, not complete, or decompresses to more than `most` bytes or
        to far more than its own size.
    """
    allowed = min(most, max(_FREE, _RATIO * len(body)))
    plain = bytearray()
    at, members, pending = 0, 1, False
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    while at < len(body) or unpack.unconsumed_tail or pending:
        if unpack.eof:
            members += 1
            unpack = _next_member(body, members)
        chunk = unpack.unconsumed_tail
        if not chunk:
            chunk = body[at : at + _CHUNK]
            at += len(chunk)
        piece = _decompress(unpack, chunk, _STEP)
        pending = len(piece) == _STEP  # zlib may have more of what it has read
        plain += piece
        at -= len(unpack.unused_data)  # it belongs to the next member
        if len(plain) > allowed:
            raise _too_large(allowed, most)
    if not unpack.eof:
        raise _unreadable("it is cut off")
    return bytes(plain)


def _next_member(body: bytes, members: int) -> zlib._Decompress:
    if body[:2] != _GZIP:
        raise _unreadable("more follows its end")
    if members > _MOST_MEMBERS:
        raise _unreadable(f"it has more than {_MOST_MEMBERS} members")
    return zlib.decompressobj(_GZIP_ONLY)


def _decompress(unpack: zlib._Decompress, data: bytes | memoryview, most: int) -> bytes:
    try:
        return unpack.decompress(data, most)
    except zlib.error as error:
        raise _unreadable(str(error)) from None


def _unreadable(why: str) -> RequestError:
    return RequestError(f"the body cannot be unpacked: {why}")


def _too_large(allowed: int, most: int) -> RequestError:
    if allowed == most:
        return too_long(most)
    return RequestError(
        f"the body unpacks to more than {_FREE} bytes and more than {_RATIO} times its own",
        TOO_LARGE,
    )
