"""The parts of HTTP that need no connection: an answer's head, a URL's path, a packed body."""

from __future__ import annotations

import http
import zlib
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import httptools

from components.serve.failures import UNAUTHENTICATED, RequestError

PACKED = frozenset({b"gzip", b"x-gzip", b"deflate"})  # the encodings that `unpacked` takes
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib tells the two by their first bytes


@lru_cache(64)
def head(status: int, content_type: str, connection: bytes, second: int) -> bytes:
    """Return an answer's head up to the length of its body; it changes once a second."""
    lines = [
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
        f"Content-Type: {content_type}",
        f"Date: {formatdate(second, usegmt=True)}",
    ]
    if connection:
        lines.append(f"Connection: {connection.decode()}")
    if status == UNAUTHENTICATED:
        lines.append("WWW-Authenticate: Bearer")
    return "\r\n".join([*lines, "Content-Length: "]).encode()


def path_of(url: bytes) -> str:
    """Return a URL's path, percent-decoded.

    Raises:
      RequestError: it has none, or one that is not UTF-8.
    """
    try:
        path = url if url.startswith(b"/") else httptools.parse_url(url).path or b"/"
        return unquote_to_bytes(path.partition(b"?")[0]).decode()
    except httptools.HttpParserInvalidURLError:
        raise RequestError("the URL cannot be read") from None
    except UnicodeDecodeError:
        raise RequestError("the URL's path is not UTF-8") from None


def unpacked(body: bytes, most: int) -> bytes | None:
    """Return what a packed body holds; None if that is more than `most` bytes.

    Raises:
      RequestError: it is not packed, or not whole.
    """
    unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpack.decompress(body, most + 1)
    except zlib.error as error:
        raise RequestError(f"the body cannot be unpacked: {error}") from None
    if len(plain) > most:
        return None
    if not unpack.eof or unpack.unused_data:
        raise RequestError("the body cannot be unpacked: it is cut off, or more follows")
    return plain
