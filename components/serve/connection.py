"""One HTTP/1.1 connection: bytes → requests for the app, its answers → bytes, in turn.

httptools (Node's llhttp) parses. Promised: what is malformed, too large or too slow is answered
with a JSON error and the connection closed; requests that came before are answered first.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from time import time
from typing import NamedTuple, Protocol, cast

import httptools

from components.serve import http_text
from components.serve.failures import (
    REQUEST_TIMEOUT,
    TOO_LARGE,
    UNAVAILABLE,
    RequestError,
)
from components.serve.messages import Answer, Request
from components.serve.settings import Address

TIMEOUT_HEADER = "Skewless-Timeout"  # seconds

HEAD_TOO_LARGE = 431
UNSUPPORTED_TYPE = 415

_EXPECT, _ENCODING, _LENGTH = b"expect", b"content-encoding", b"content-length"
_CHUNKED = b"transfer-encoding"
_AUTHORIZATION, _TIMEOUT = b"authorization", TIMEOUT_HEADER.lower().encode()
_WANTED = frozenset({_EXPECT, _ENCODING, _LENGTH, _CHUNKED, _AUTHORIZATION, _TIMEOUT})

_LINGER_SECONDS = 2.0  # what a refused client still sends is thrown away
_MOST_WAITING = 16  # pipelined requests; a client that sends more has to wait

_IDLE, _HEAD, _BODY, _REFUSED = range(4)  # what is being read


class Answering(Protocol):
    """What a connection asks: `components.serve.app.App`."""

    def answer(self, request: Request, respond: Callable[[Answer], None]) -> None:
        """Answer a request, whatever it is, by calling `respond` once, at once or later."""

    def refuse(self, request: Request, error: RequestError) -> Answer:
        """Answer a request that did not arrive whole."""


class _Asked(NamedTuple):
    """A request to be answered; `error` says why it is refused."""

    request: Request
    error: RequestError | None
    keep_alive: bool
    head: bool
    old: bool  # HTTP/1.0, which has to be told that the connection stays


class Connection(asyncio.Protocol):
    """Reads requests and writes answers.

    Args:
      app: what answers.
      address: the limits.
      opened: called with the connection once it is there; returns whether it may stay.
      idle: called whenever all that was asked is answered.
      closed: called with the connection once it is gone.
    """

    def __init__(
        self,
        app: Answering,
        address: Address,
        opened: Callable[[Connection], bool],
        idle: Callable[[], None],
        closed: Callable[[Connection], None],
    ) -> None:
        self._app, self._address = app, address
        self._opened, self._idle, self._closed = opened, idle, closed
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._reading = _IDLE
        self._deadline = self._loop.time() + address.head_seconds
        self._waiting: deque[_Asked] = deque()
        self._answering: _Asked | None = None
        self._in_turn = False  # the next is taken as soon as one is answered
        self._writable = True
        self._paused = self._draining = self._ended = False
        self._url, self._headers, self._body = b"", dict[bytes, bytes](), list[bytes]()
        self._head_size = self._body_size = 0

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered, or an answer has not been taken yet."""
        return self._owing or self._reading in (_HEAD, _BODY)

    def drain(self) -> None:
        """Let every answer from now on be the connection's last."""
        self._draining = True

    def close(self) -> None:
        """Close it once what was written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once; what is being computed is computed for nobody."""
        self._transport.abort()

    def look(self, now: float) -> None:
        """Give up what has not arrived, or not been taken, by its deadline."""
        if now < self._deadline or (self._answering is not None and self._writable):
            return
        if not self._writable:
            self.abort()
        elif self._reading in (_HEAD, _BODY):
            what = "body" if self._reading == _BODY else "request's head"
            self._refuse(RequestError(f"the {what} did not arrive in time", REQUEST_TIMEOUT))
        else:
            self.close()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no such class
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        if not self._opened(self):
            self._refuse(RequestError("too many connections are open", UNAVAILABLE))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._reading = _REFUSED
        self._waiting.clear()
        self._writable = True
        self._transport.close()  # Python 3.10's TLS warns of one that only the client closed
        self._closed(self)

    def pause_writing(self) -> None:
        """Wait with further answers until the client has taken what is written."""
        self._writable = False
        self._deadline = self._loop.time() + self._address.body_seconds

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._answer_next()
        if not self._owing:
            self._rest()

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        if self._reading == _REFUSED:
            return
        if self._reading == _HEAD:  # a head in one piece, as nearly all are, is counted by header
            self._head_size += len(data)
        try:
            rest = self._parse(data)
            while rest:
                rest = self._parse(rest)
            if self._reading == _HEAD:
                self._check_head()
        except RequestError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if not isinstance(cause, RequestError):
                cause = RequestError(f"this is not HTTP: {error}")
            self._refuse(cause)
        else:
            self._answer_next()  # not before: what is answered may close the connection

    def eof_received(self) -> bool:
        """Answer what was asked, of a client that has closed its side; return whether to stay."""
        if self._reading in (_HEAD, _BODY):
            self._refuse(RequestError("the connection ended before the request did"))
        self._ended = True
        return self._owing

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

    # httptools' side; a RequestError that is raised here arrives in `data_received`

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._reading = _HEAD
        self._deadline = self._loop.time() + self._address.head_seconds
        self._url, self._headers, self._body = b"", {}, []
        self._head_size = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which is only counted."""
        self._head_size += len(name) + len(value) + 4  # a colon, a space and the line's end
        self._check_head()
        if self._reading == _HEAD:
            name = name.lower()
            if name in _WANTED:
                self._headers[name] = value

    def on_headers_complete(self) -> None:
        """Decide whether the body is to be read."""
        self._head_size += len(self._url)
        self._check_head()
        self._reading = _BODY
        self._deadline = self._loop.time() + self._address.body_seconds
        if self._parser.get_method() == b"CONNECT":  # whose body would be taken for a request
            raise RequestError("no tunnel is opened here")
        if self._parser.should_upgrade():
            return  # the same request begins again, without that
        headers = self._headers
        if int(headers.get(_LENGTH, b"0")) > self._address.max_bytes:
            raise self._too_large()
        encoding = headers.get(_ENCODING, b"").lower()
        if encoding not in http_text.PACKED and encoding not in (b"", b"identity"):
            raise RequestError("a body is taken plain, gzip or deflate", UNSUPPORTED_TYPE)
        asks = headers.get(_EXPECT, b"").lower() == b"100-continue"
        if asks and not self._owing:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._body_size += len(data)
        if self._body_size > self._address.max_bytes:
            raise self._too_large()
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Have the request answered."""
        if self._parser.should_upgrade():
            return
        request = self._request(http_text.path_of(self._url), self._unpacked(b"".join(self._body)))
        keep_alive = self._parser.should_keep_alive()
        self._body = []
        self._reading = _IDLE if keep_alive else _REFUSED
        self._ask(request, None, keep_alive)

    def _check_head(self) -> None:
        if self._head_size > self._address.head_bytes:
            message = f"the request's head has more than {self._address.head_bytes} bytes"
            raise RequestError(message, HEAD_TOO_LARGE)

    def _too_large(self) -> RequestError:
        return RequestError(f"the body has more than {self._address.max_bytes} bytes", TOO_LARGE)

    def _unpacked(self, body: bytes) -> bytes:
        if self._headers.get(_ENCODING, b"identity").lower() not in http_text.PACKED:
            return body
        plain = http_text.unpacked(body, self._address.max_bytes)
        if plain is None:
            raise self._too_large()
        return plain

    def _request(self, path: str, body: bytes = b"") -> Request:
        get = self._headers.get
        authorization, timeout = get(_AUTHORIZATION), get(_TIMEOUT)
        method = self._parser.get_method().decode() if self._url else ""
        return Request(
            "GET" if method == "HEAD" else method,
            path,
            body,
            None if timeout is None else timeout.decode("latin-1"),
            None if authorization is None else authorization.decode("latin-1"),
            self._peer,
        )

    def _refuse(self, error: RequestError) -> None:
        """Answer with an error and close: what follows could be taken for another request."""
        self._reading = _REFUSED
        self._body = []
        self._ask(self._request(""), error, False)
        self._answer_next()

    def _ask(self, request: Request, error: RequestError | None, keep_alive: bool) -> None:
        head = bool(self._url) and self._parser.get_method() == b"HEAD"
        old = bool(self._url) and self._parser.get_http_version() == "1.0"
        self._waiting.append(_Asked(request, error, keep_alive, head, old))
        self._deadline = math.inf
        if len(self._waiting) > _MOST_WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    @property
    def _owing(self) -> bool:
        return self._answering is not None or bool(self._waiting) or not self._writable

    def _answer_next(self) -> None:
        """Answer what waits, in turn, as far as that is possible at once."""
        if self._in_turn or self._answering is not None or not self._writable:
            return
        self._in_turn = True
        while self._waiting and self._answering is None and self._writable:
            asked = self._answering = self._waiting.popleft()
            if asked.error is None:
                self._app.answer(asked.request, self._answered)
            else:
                self._answered(self._app.refuse(asked.request, asked.error))
        self._in_turn = False

    def _answered(self, answer: Answer) -> None:
        """Take the answer of the request whose turn it is."""
        asked, self._answering = self._answering, None
        assert asked is not None, "a request is answered once"
        self._write(asked, answer)
        self._answer_next()
        if not self._owing:
            self._rest()

    def _write(self, asked: _Asked, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        last = self._draining or not asked.keep_alive
        connection = b"close" if last else b"keep-alive" if asked.old else b""
        head = http_text.head(answer.status, answer.content_type, connection, int(time()))
        body = b"" if asked.head else answer.body
        self._transport.write(b"%b%d\r\n\r\n%b" % (head, len(answer.body), body))
        if last:
            self._waiting.clear()
            self._reading = _REFUSED
            refused = asked.error is not None and asked.error.status != UNAVAILABLE
            stay = refused and not self._draining and not self._ended
            if stay and self._transport.can_write_eof():
                # To close now, with more on its way, would take the answer from the client.
                self._transport.write_eof()
            else:
                self._transport.close()

    def _rest(self) -> None:
        """Wait for the next request."""
        if self._ended:
            self._transport.close()
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        at = self._address
        seconds = (at.idle_seconds, at.head_seconds, at.body_seconds, _LINGER_SECONDS)
        self._deadline = self._loop.time() + seconds[self._reading]
        self._idle()
