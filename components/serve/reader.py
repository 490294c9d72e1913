"""Parses the bytes of one HTTP/1.1 connection into requests, with httptools (Node's llhttp).

A request that is malformed, too large or not authorized is refused with a `RequestError` as early
as possible: a body is read only after its head has been admitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import httptools

from components.serve import http_text, routes, unpacking
from components.serve.budget import Budget, too_long
from components.serve.failures import UNAVAILABLE, RequestError
from components.serve.hosts import Hosts
from components.serve.messages import Answer, Request
from components.serve.settings import Address

TIMEOUT_HEADER = "Skewless-Timeout"  # seconds

HEAD_TOO_LARGE = 431
UNSUPPORTED_TYPE = 415

IDLE, HEAD, BODY, REFUSED = range(4)  # the state of a reader

_HOST, _EXPECT, _ENCODING = b"host", b"expect", b"content-encoding"
_LENGTH, _CODING = b"content-length", b"transfer-encoding"
_AUTHORIZATION, _TIMEOUT = b"authorization", TIMEOUT_HEADER.lower().encode()
_WANTED = frozenset(
    {
        _HOST,
        _EXPECT,
        _ENCODING,
        _AUTHORIZATION,
        _TIMEOUT,
        _LENGTH,
        _CODING,
    }
)
_ENCODINGS = unpacking.ENCODINGS | {b"", b"identity"}
_SLASH = ord("/")
_PASSED_OVER = 4 << 10  # bytes of an unexpected body; some clients send one with GET


class RequestHandler(Protocol):
    """What a connection needs of an app: `components.serve.app.App`."""

    def admit(self, path: str, authorization: str | None) -> bool:
        """Check the authorization, before the body is read; return whether a body is expected.

        Raises:
          RequestError: the client is not authorized.
        """

    def answer(self, request: Request, respond: Callable[[Answer], None]) -> None:
        """Answer any request by calling `respond` once, at once or later."""

    def refuse(self, request: Request, error: RequestError) -> Answer:
        """Answer a request that was not read completely."""


class ReceivedRequest(NamedTuple):
    """A request to answer.

    Attributes:
      request: the request; only the part that was read, if it is refused.
      size: bytes of its body, which the budget counts until it is answered.
      error: why it is refused; None if it is not.
      keep_alive: whether the client wants to keep the connection open.
      head: whether the answer has no body, as for HEAD.
      old: whether it is HTTP/1.0, where the answer must say that the connection stays open.
    """

    request: Request
    size: int
    error: RequestError | None
    keep_alive: bool
    head: bool
    old: bool


class RequestReader:
    """Parses requests; use it from one event loop.

    Args:
      app: decides whose bodies are read.
      address: the limits.
      budget: counts the bytes of bodies.
      hosts: checks the host that a request names.
      received: called with each complete request.
      go_on: called when a client waits for "100 Continue".

    Attributes:
      state: one of the constants above.
      deadline: the deadline for what is being read, a time of the event loop.
      peer: the client's address.
      checks_only: whether only health checks are accepted.
    """

    def __init__(
        self,
        app: RequestHandler,
        address: Address,
        budget: Budget,
        hosts: Hosts,
        *,
        received: Callable[[ReceivedRequest], None],
        go_on: Callable[[], None],
    ) -> None:
        self._app, self._address, self._budget, self._hosts = app, address, budget, hosts
        self._received, self._go_on = received, go_on
        self._most_head = address.head_bytes
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self.state = IDLE
        self.deadline = self._loop.time() + address.head_seconds
        self.peer = ""
        self.checks_only = False
        self._url, self._headers, self._head_size = b"", dict[bytes, bytes](), 0
        self._method, self._path, self._old = b"", "", False
        self._data: bytes | bytearray = b""
        self._size = 0  # bytes of the body that have arrived
        self._most = 0  # bytes that it may have

    def feed(self, data: bytes) -> None:
        """Parse bytes that have arrived.

        Raises:
          RequestError: the request is refused; feed nothing more.
        """
        if self.state == HEAD:  # a head in several pieces; a whole one is counted by header
            self._head_size += len(data)
        try:
            rest = self._parse(data)
            while rest:
                rest = self._parse(rest)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if not isinstance(cause, RequestError):
                cause = RequestError(f"this is not HTTP: {error}")
            raise cause from None
        if self.state == HEAD:
            self._check_head()

    def refused(self, error: RequestError) -> ReceivedRequest:
        """Return the refused request, as far as it was read; feed nothing more."""
        if self.state == IDLE:  # the error belongs to no request
            self._method, self._path, self._old = b"", "", False
        self.state = REFUSED
        self.drop()
        return self._asked(error, False)

    def drop(self) -> None:
        """Discard an incomplete body."""
        self._budget.give(self._size)
        self._data, self._size = b"", 0

    def _parse(self, data: bytes | memoryview) -> memoryview:
        """Feed the parser; return what it left: all after a head that offers another protocol.

        Java's client offers HTTP/2 with every request. The offer is ignored. The parser reads no
        body after it, so a new parser reads the same head without it.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            start = self._parser.get_method(), self._url, self._parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b" % start, *map(b": ".join, self._headers.items()), b"\r\n"]
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(b"\r\n".join(lines))
            return memoryview(data)[offer.args[0] :]
        return memoryview(b"")

    # Callbacks of httptools; a RequestError that is raised here arrives in `feed`

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.state = HEAD
        if not self.checks_only:
            self.deadline = self._loop.time() + self._address.head_seconds
        self._url, self._headers, self._head_size = b"", {}, 0
        self._method, self._path, self._old = b"", "", False

    def on_url(self, url: bytes) -> None:
        """Read a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header, or a trailer, which is only counted."""
        size = self._head_size = self._head_size + len(name) + len(value) + 4  # ": " and CRLF
        if size > self._most_head:
            self._check_head()
        if self.state == HEAD:
            name = name.lower()
            if name in _WANTED:
                headers = self._headers
                if name in headers:  # repeated headers are joined, so that none wins
                    value = b"%b, %b" % (headers[name], value)
                headers[name] = value

    def on_headers_complete(self) -> None:
        """Decide whether to read the request and its body."""
        self._head_size += len(self._url)
        self._check_head()
        parser, headers, url = self._parser, self._headers, self._url
        self.state = BODY
        self.deadline = self._loop.time() + self._address.body_seconds
        self._method = parser.get_method()
        if self._method == b"CONNECT":  # its body could be mistaken for a request
            raise RequestError("no tunnel is opened here")
        if parser.should_upgrade():
            return  # the same request begins again, without the offer
        version = parser.get_http_version()
        self._old = version != "1.1" and http_text.check_version(version)
        path = self._path = http_text.path_of(url)
        host = headers.get(_HOST)
        if host not in self._hosts.passed or url[0] != _SLASH:
            self._hosts.check(host, self._old, url, path in routes.HEALTH)
        if _CODING in headers:
            http_text.check_transfer(headers[_CODING], self._old)
        body_follows = _CODING in headers or headers.get(_LENGTH, b"0") != b"0"
        if self.checks_only and (body_follows or path not in routes.HEALTH):
            raise too_many()
        if body_follows:
            self._expect_body(headers)

    def on_body(self, data: bytes) -> None:
        """Read a part of the body."""
        size = self._size + len(data)
        if size > self._most:
            raise too_long(self._most)
        self._budget.take(len(data))
        if not self._size:
            self._data = data  # most bodies come in one piece, which is not copied
        else:
            if not isinstance(self._data, bytearray):  # in a list, pieces of a byte would take 40
                self._data = bytearray(self._data)
            self._data += data
        self._size = size

    def on_message_complete(self) -> None:
        """Pass the request on."""
        parser = self._parser
        if parser.should_upgrade():
            return
        keep_alive = parser.should_keep_alive()
        self.state = IDLE if keep_alive else REFUSED
        self._received(self._asked(None, keep_alive))

    def _expect_body(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a body before it is read, if that can be decided."""
        has_body = self._app.admit(self._path, _text(headers.get(_AUTHORIZATION)))
        most = self._most = self._address.max_bytes if has_body else _PASSED_OVER
        length = int(headers.get(_LENGTH, b"0"))
        if length > most:
            raise too_long(most)
        self._budget.check(length)
        if _ENCODING in headers and _coding(headers[_ENCODING]) not in _ENCODINGS:
            raise RequestError("a body may be plain, gzip or deflate", UNSUPPORTED_TYPE)
        if _EXPECT in headers and headers[_EXPECT].lower().startswith(b"100-continue"):
            self._go_on()

    def _check_head(self) -> None:
        if self._head_size > self._most_head:
            message = f"the request's head has more than {self._most_head} bytes"
            raise RequestError(message, HEAD_TOO_LARGE)

    def _asked(self, error: RequestError | None, keep_alive: bool) -> ReceivedRequest:
        headers, method = self._headers, self._method
        data, size = self._data, self._size
        self._data, self._size = b"", 0
        request = Request(
            "GET" if method == b"HEAD" else method.decode(),
            self._path,
            bytes(data),
            _text(headers.get(_TIMEOUT)),
            _text(headers.get(_AUTHORIZATION)),
            self.peer,
            self._most
            if _ENCODING in headers and _coding(headers[_ENCODING]) in unpacking.ENCODINGS
            else None,
        )
        return ReceivedRequest(request, size, error, keep_alive, method == b"HEAD", self._old)


def too_many() -> RequestError:
    """Return the error for a connection beyond the limit."""
    return RequestError("too many connections are open", UNAVAILABLE)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _coding(header: bytes) -> bytes:
    return header.strip(http_text.BLANKS).lower()
