"""Packed bodies: gzip, of one member or several, and deflate → the bytes that they hold.

Promised: no body takes more memory or time than its limits allow, however it was packed. Only what
is small is to be unpacked in the event loop (`unpacked_small`); anything else belongs in a thread.
"""

from __future__ import annotations

import zlib

from components.serve.budget import too_long
from components.serve.failures import TOO_LARGE, RequestError

ENCODINGS = frozenset({b"gzip", b"x-gzip", b"deflate"})

_GZIP, _ZLIB = b"\x1f\x8b", 0x78
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib tells the two by their first bytes
_GZIP_ONLY = zlib.MAX_WBITS | 16
_CHUNK = 64 << 10  # what follows a member's end is copied, so each call gets a part only
_STEP = 1 << 20

_SMALL = 64 << 10  # bytes, packed and plain, that are unpacked within a fifth of a millisecond

# Rows of JSON pack to a tenth or a twentieth. Zeros pack to a thousandth, and so does the attack of
# sending them; equal rows do as well, which the first bytes are free for.
_RATIO = 100
_FREE = 1 << 20
_MOST_MEMBERS = 1_000


def is_packed(message: bytes) -> bool:
    """Return whether a message begins as gzip or zlib do, as no serialised request does.

    A protobuf's first byte is a field's number and type: no message has a type 7 (gzip's), and no
    request here has a field 15 (zlib's).
    """
    if message[:2] == _GZIP:
        return True
    return len(message) > 1 and message[0] == _ZLIB and (_ZLIB * 256 + message[1]) % 31 == 0


def unpacked_small(body: bytes, most: int) -> bytes | None:
    """Return what a packed body holds; None if it is not small, or is for `unpacked` to refuse.

    Raises:
      RequestError: it is not packed.
    """
    if len(body) > _SMALL:
        return None
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    plain = _decompress(unpack, body, min(_SMALL, most))
    return plain if unpack.eof and not unpack.unused_data else None


def unpacked(body: bytes, most: int) -> bytes:
    """Return what a packed body holds.

    Raises:
      RequestError: it is not packed, not whole, or holds more than `most` bytes, or far more than
        it has itself.
    """
    allowed = min(most, max(_FREE, _RATIO * len(body)))
    plain = bytearray()
    at, members, pending = 0, 1, False
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    while at < len(body) or unpack.unconsumed_tail or pending:
        if unpack.eof:
            members += 1
            unpack = _next_member(body, members)
        given = unpack.unconsumed_tail
        if not given:
            given = body[at : at + _CHUNK]
            at += len(given)
        piece = _decompress(unpack, given, _STEP)
        pending = len(piece) == _STEP  # zlib may hold more of what it has read
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
