"""Bytes of one HTTP/1.1 connection → requests, as httptools (Node's llhttp) parses them.

Promised: what is malformed, too large, or not for whoever asks is refused with a `RequestError`,
as early as that can be known: a body only begins to be read once its head has been admitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import httptools

from components.serve import http_text, routes, unpacking
from components.serve.budget import Body, Budget, too_long
from components.serve.failures import UNAVAILABLE, RequestError
from components.serve.hosts import Hosts
from components.serve.messages import Answer, Request
from components.serve.settings import Address

TIMEOUT_HEADER = "Skewless-Timeout"  # seconds

HEAD_TOO_LARGE = 431
UNSUPPORTED_TYPE = 415

IDLE, HEAD, BODY, REFUSED = range(4)  # what is being read

_HOST, _EXPECT, _ENCODING = b"host", b"expect", b"content-encoding"
_AUTHORIZATION, _TIMEOUT = b"authorization", TIMEOUT_HEADER.lower().encode()
_WANTED = frozenset(
    {
        _HOST,
        _EXPECT,
        _ENCODING,
        _AUTHORIZATION,
        _TIMEOUT,
        http_text.LENGTH,
        http_text.TRANSFER_ENCODING,
    }
)
_PASSED_OVER = 4 << 10  # bytes of a body where none is wanted; some clients send one with GET


class Answering(Protocol):
    """What a connection asks: `components.serve.app.App`."""

    def admit(self, path: str, authorization: str | None) -> bool:
        """Check who asks, before the body is read; return whether a body may be wanted.

        Raises:
          RequestError: whoever asks may not.
        """

    def answer(self, request: Request, respond: Callable[[Answer], None]) -> None:
        """Answer a request, whatever it is, by calling `respond` once, at once or later."""

    def refuse(self, request: Request, error: RequestError) -> Answer:
        """Answer a request that did not arrive whole."""


class Asked(NamedTuple):
    """A request to be answered.

    Attributes:
      request: off the wire; as far as it was read, if it is refused.
      body: counts the bytes of the request's body; None where it has none.
      error: why it is refused; None if it is not.
      keep_alive: whether the client wants to ask more.
      head: whether the answer's body is to be left out.
      old: whether it is HTTP/1.0, which has to be told that the connection stays.
    """

    request: Request
    body: Body | None
    error: RequestError | None
    keep_alive: bool
    head: bool
    old: bool


class RequestReader:
    """Reads requests; use it from one event loop.

    Args:
      app: says whose bodies are read.
      address: the limits.
      budget: for the bytes of bodies.
      hosts: checks which host a request names.
      taken: called with each request, once it is whole.
      go_on: called when a client waits to be told that it may send its body.

    Attributes:
      state: one of the constants above.
      deadline: for what is being read, of the loop's clock.
      peer: the client's address.
      checks_only: whether only health checks are taken.
    """

    def __init__(
        self,
        app: Answering,
        address: Address,
        budget: Budget,
        hosts: Hosts,
        *,
        taken: Callable[[Asked], None],
        go_on: Callable[[], None],
    ) -> None:
        self._app, self._address, self._budget, self._hosts = app, address, budget, hosts
        self._taken, self._go_on = taken, go_on
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self.state = IDLE
        self.deadline = self._loop.time() + address.head_seconds
        self.peer = ""
        self.checks_only = False
        self._url, self._headers, self._head_size = b"", dict[bytes, bytes](), 0
        self._method, self._path, self._old = b"", "", False
        self._body: Body | None = None
        self._most = 0  # bytes of the body

    def feed(self, data: bytes) -> None:
        """Take what has arrived.

        Raises:
          RequestError: what it asks is refused; nothing more is to be fed.
        """
        if self.state == HEAD:  # a head in one piece, as nearly all are, is counted by header
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

    def refused(self, error: RequestError) -> Asked:
        """Return what is refused, as far as it was read; nothing more is to be fed."""
        if self.state == IDLE:  # it belongs to no request
            self._method, self._path, self._old = b"", "", False
        self.state = REFUSED
        self.drop()
        return self._asked(None, error, False)

    def drop(self) -> None:
        """Let go of a body that is not whole."""
        if self._body is not None:
            self._body.drop()
            self._body = None

    def _parse(self, data: bytes | memoryview) -> memoryview:
        """Feed the parser, and return what it left: all after a head that offers a protocol.

        The offer, which Java's client makes with every request, is not taken up. The parser takes
        no body after it, so another one is told the same head without it.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            asked = self._parser.get_method(), self._url, self._parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b" % asked, *map(b": ".join, self._headers.items()), b"\r\n"]
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(b"\r\n".join(lines))
            return memoryview(data)[offer.args[0] :]
        return memoryview(b"")

    # httptools' side; a RequestError that is raised here arrives in `feed`

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.state = HEAD
        if not self.checks_only:
            self.deadline = self._loop.time() + self._address.head_seconds
        self._url, self._headers, self._head_size = b"", {}, 0
        self._method, self._path, self._old = b"", "", False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which is only counted."""
        self._head_size += len(name) + len(value) + 4  # a colon, a space and the line's end
        self._check_head()
        if self.state == HEAD:
            name = name.lower()
            if name in _WANTED:
                value = value.strip(b" \t")
                before = self._headers.get(name)  # of several none wins: together they are one
                self._headers[name] = value if before is None else b"%b, %b" % (before, value)

    def on_headers_complete(self) -> None:
        """Decide whether the request, and its body, is to be read."""
        self._head_size += len(self._url)
        self._check_head()
        self.state = BODY
        self.deadline = self._loop.time() + self._address.body_seconds
        self._method = self._parser.get_method()
        if self._method == b"CONNECT":  # whose body would be taken for a request
            raise RequestError("no tunnel is opened here")
        if self._parser.should_upgrade():
            return  # the same request begins again, without that
        headers = self._headers
        self._old = http_text.check_version(self._parser.get_http_version())
        self._path = http_text.path_of(self._url)
        is_check = self._path in routes.HEALTH
        self._hosts.check(headers.get(_HOST), self._old, self._url, is_check)
        body_follows = http_text.has_body(headers, self._old)
        if self.checks_only and (body_follows or not is_check):
            raise too_many()
        if body_follows:
            self._expect_body(headers)

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._body is None:
            self._body = Body(self._budget, self._most)
        self._body.add(data)

    def on_message_complete(self) -> None:
        """Have the request answered."""
        if self._parser.should_upgrade():
            return
        keep_alive = self._parser.should_keep_alive()
        self.state = IDLE if keep_alive else REFUSED
        body, self._body = self._body, None
        self._taken(self._asked(body, None, keep_alive))

    def _expect_body(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a body before any of it is read, where that can be known."""
        authorization = _text(headers.get(_AUTHORIZATION))
        wanted = self._app.admit(self._path, authorization)
        self._most = self._address.max_bytes if wanted else _PASSED_OVER
        length = int(headers.get(http_text.LENGTH, b"0"))
        if length > self._most:
            raise too_long(self._most)
        self._budget.check(length)
        encoding = headers.get(_ENCODING, b"").lower()
        if encoding not in (b"", b"identity") and encoding not in unpacking.ENCODINGS:
            raise RequestError("a body is taken plain, gzip or deflate", UNSUPPORTED_TYPE)
        if headers.get(_EXPECT, b"").lower() == b"100-continue":
            self._go_on()

    def _check_head(self) -> None:
        if self._head_size > self._address.head_bytes:
            message = f"the request's head has more than {self._address.head_bytes} bytes"
            raise RequestError(message, HEAD_TOO_LARGE)

    def _asked(self, body: Body | None, error: RequestError | None, keep_alive: bool) -> Asked:
        headers, method = self._headers, self._method
        encoding = headers.get(_ENCODING)
        packed = encoding is not None and encoding.lower() in unpacking.ENCODINGS
        request = Request(
            "GET" if method == b"HEAD" else method.decode(),
            self._path,
            b"" if body is None else body.whole(),
            _text(headers.get(_TIMEOUT)),
            _text(headers.get(_AUTHORIZATION)),
            self.peer,
            self._most if packed else None,
        )
        return Asked(request, body, error, keep_alive, method == b"HEAD", self._old)


def too_many() -> RequestError:
    """Return the refusal of one connection too many."""
    return RequestError("too many connections are open", UNAVAILABLE)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
