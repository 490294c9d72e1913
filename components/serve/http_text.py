"""Parts of HTTP without a connection: heads of answers, paths of URLs, versions, codings."""

from __future__ import annotations

import http
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import httptools

from components.serve import json_text
from components.serve.failures import UNAUTHENTICATED, UNIMPLEMENTED, RequestError

BLANKS = b" \t"  # may follow a header's value

_SHORT = 1_024  # bytes of a URL whose path is cached
_VERSION = 505  # HTTP Version Not Supported


@lru_cache(64)
def head(
    status: int, content_type: str, connection: bytes, second: int, headers: tuple[str, ...] = ()
) -> bytes:
    """Return the head of an answer before the length of its body; it changes once a second."""
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
    """Return the percent-decoded path of a URL.

    Raises:
      RequestError: it has none, or it is not UTF-8.
    """
    return _path_of_short(url) if len(url) <= _SHORT else _path_of(url)


def _path_of(url: bytes) -> str:
    try:
        path = url if url.startswith(b"/") else httptools.parse_url(url).path or b"/"
        return unquote_to_bytes(path.partition(b"?")[0]).decode()
    except httptools.HttpParserInvalidURLError:
        raise RequestError("the URL cannot be read") from None
    except UnicodeDecodeError:
        raise RequestError("the URL's path is not UTF-8") from None


_path_of_short = lru_cache(maxsize=1_024)(_path_of)  # clients use the same few paths


def check_version(version: str) -> bool:
    """Return whether a request is HTTP/1.0 and not 1.1.

    Raises:
      RequestError: it is neither.
    """
    if version == "1.1":
        return False
    if version == "1.0":
        return True
    if version == "0.9":  # the parser's value for a line without a version
        raise RequestError("the request's first line has no HTTP version")
    raise RequestError(f"HTTP/{version} is not supported; use 1.1 or 1.0", _VERSION)


def check_transfer(coding: bytes, old: bool) -> None:
    """Check that a body with a Transfer-Encoding is chunked, and nothing else.

    Args:
      coding: the header; several are joined by ", ".
      old: whether the request is HTTP/1.0.

    Raises:
      RequestError: it has another encoding, or the request is HTTP/1.0.
    """
    if old:
        raise RequestError("HTTP/1.0 has no Transfer-Encoding")
    if coding.strip(BLANKS).lower() != b"chunked":
        what = json_text.excerpt(coding.decode("latin-1"))
        message = f"the Transfer-Encoding is {what}; only 'chunked' is supported"
        raise RequestError(message, UNIMPLEMENTED)
