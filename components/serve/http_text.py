"""The parts of HTTP that need no connection: an answer's head, a URL's path, a body's presence."""

from __future__ import annotations

import http
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import httptools

from components.serve import json_text
from components.serve.failures import UNAUTHENTICATED, UNIMPLEMENTED, RequestError

LENGTH, TRANSFER_ENCODING = b"content-length", b"transfer-encoding"

_VERSION = 505  # HTTP Version Not Supported


@lru_cache(64)
def head(
    status: int, content_type: str, connection: bytes, second: int, headers: tuple[str, ...] = ()
) -> bytes:
    """Return an answer's head up to the length of its body; it changes once a second."""
    lines = [
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
        f"Content-Type: {content_type}",
        f"Date: {formatdate(second, usegmt=True)}",
        "X-Content-Type-Options: nosniff",
        *headers,
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


def check_version(version: str) -> bool:
    """Return whether a request is HTTP/1.0, not 1.1.

    Raises:
      RequestError: it is neither, or does not say.
    """
    if version == "1.1":
        return False
    if version == "1.0":
        return True
    if version == "0.9":  # what the parser calls a line without a version
        raise RequestError("the request's first line has no HTTP version")
    raise RequestError(f"HTTP/{version} is not spoken here, but 1.1 and 1.0", _VERSION)


def has_body(headers: Mapping[bytes, bytes], old: bool) -> bool:
    """Return whether a body follows a request's head.

    Args:
      headers: by their names in small letters; several of a name are joined by ", ".
      old: whether the request is HTTP/1.0.

    Raises:
      RequestError: how long the body is cannot be known, or it is encoded for the transfer.
    """
    coding = headers.get(TRANSFER_ENCODING)
    if coding is None:
        return headers.get(LENGTH, b"0") != b"0"
    if old:
        raise RequestError("HTTP/1.0 has no Transfer-Encoding")
    if coding.lower() != b"chunked":
        what = json_text.excerpt(coding.decode("latin-1"))
        message = f"the Transfer-Encoding is {what}; only 'chunked' is decoded"
        raise RequestError(message, UNIMPLEMENTED)
    return True
