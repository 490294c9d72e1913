"""One HTTP/1.1 connection: reads requests and writes answers, in order and by their deadlines.

A refused request is answered with a JSON error, after the requests before it, and the connection is
closed. While one request is answered, at most one more is read.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from time import time
from typing import cast

from components.serve import http_text, reader, routes
from components.serve.budget import Budget
from components.serve.failures import BAD_REQUEST, REQUEST_TIMEOUT, UNAVAILABLE, RequestError
from components.serve.hosts import Hosts
from components.serve.messages import Answer
from components.serve.places import Place
from components.serve.reader import ReceivedRequest, RequestHandler, RequestReader
from components.serve.settings import Address

_LINGER_SECONDS = 2.0  # during which the rest of a refused request is discarded
_SPARE_SECONDS = 1.0  # limit for the head of a request on a spare connection


class Connection(asyncio.Protocol):
    """Reads requests and writes answers.

    Args:
      app: answers the requests.
      address: the limits.
      budget: counts the bytes of bodies.
      hosts: checks the host that a request names.
      opened: called with the connection once it is open; returns its place.
      idle: called whenever all requests are answered.
      closed: called with the connection once it is closed.
    """

    def __init__(
        self,
        app: RequestHandler,
        address: Address,
        budget: Budget,
        hosts: Hosts,
        *,
        opened: Callable[[Connection], Place],
        idle: Callable[[], None],
        closed: Callable[[Connection], None],
    ) -> None:
        self._app, self._address, self._budget = app, address, budget
        self._opened, self._idle, self._closed = opened, idle, closed
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(
            app, address, budget, hosts, received=self._ask, go_on=self._go_on
        )
        self._waiting: deque[ReceivedRequest] = deque()
        self._answering: ReceivedRequest | None = None
        self._in_turn = False  # start the next request as soon as one is answered
        self._writable = True
        self._trusted = self._paused = self._draining = self._ended = False

    @property
    def busy(self) -> bool:
        """Whether a request is being read or answered, or an answer is still being sent."""
        return self._owing or self._reader.state in (reader.HEAD, reader.BODY)

    @property
    def expendable(self) -> bool:
        """Whether it may be closed for another: it is idle, and no request of it has succeeded."""
        return not self._trusted and not self._owing and self._reader.state != reader.BODY

    def drain(self) -> None:
        """Close the connection after the next answer."""
        self._draining = True

    def close(self) -> None:
        """Close it once everything written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once; results still being computed are discarded."""
        self._transport.abort()

    def look(self, now: float) -> None:
        """Give up a request or answer that has missed its deadline."""
        if now < self._reader.deadline or (self._answering is not None and self._writable):
            return
        state = self._reader.state
        if not self._writable:
            self.abort()
        elif self._reader.checks_only and state in (reader.IDLE, reader.HEAD):
            self._refuse(reader.too_many())
        elif state in (reader.HEAD, reader.BODY):
            what = "body" if state == reader.BODY else "request's head"
            self._refuse(RequestError(f"the {what} did not arrive in time", REQUEST_TIMEOUT))
        else:
            self.close()

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's class is not a subclass
        peer = transport.get_extra_info("peername")
        self._reader.peer = str(peer[0]) if peer else ""
        place = self._opened(self)
        if place is Place.NONE:
            self._refuse(reader.too_many())
        elif place is Place.SPARE:
            self._reader.checks_only = self._draining = True  # only one request
            self._reader.deadline = self._loop.time() + _SPARE_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._reader.state = reader.REFUSED
        self._reader.drop()
        self._forget()
        self._writable = True
        self._transport.close()  # TLS in Python 3.10 warns if only the client closed it
        self._closed(self)

    def pause_writing(self) -> None:
        """Stop writing answers until the client has received the previous ones."""
        self._writable = False
        self._reader.deadline = self._loop.time() + self._address.body_seconds

    def resume_writing(self) -> None:
        """Continue writing."""
        self._writable = True
        self._answer_next()
        if not self._owing:
            self._rest()

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        if self._reader.state == reader.REFUSED:
            return
        try:
            self._reader.feed(data)
        except RequestError as error:
            self._refuse(error)
            return
        self._answer_next()  # not earlier: an answer may close the connection
        if self._waiting and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Answer what a client sent before it closed its side; return whether to stay open."""
        if self._reader.state in (reader.HEAD, reader.BODY):
            self._refuse(RequestError("the connection ended before the request did"))
        self._ended = True
        return self._owing

    # Requests and answers

    def _refuse(self, error: RequestError) -> None:
        """Answer with an error and close: the rest could be mistaken for another request."""
        self._ask(self._reader.refused(error))
        self._answer_next()

    def _ask(self, received: ReceivedRequest) -> None:
        self._waiting.append(received)
        self._reader.deadline = math.inf

    def _go_on(self) -> None:
        """Send "100 Continue", unless an earlier answer has to come first."""
        if not self._owing:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def _owing(self) -> bool:
        return self._answering is not None or bool(self._waiting) or not self._writable

    def _answer_next(self) -> None:
        """Answer waiting requests in order, as far as possible at once."""
        if self._in_turn or self._answering is not None or not self._writable:
            return
        self._in_turn = True
        while self._waiting and self._answering is None and self._writable:
            received = self._answering = self._waiting.popleft()
            if received.error is None:
                self._app.answer(received.request, self._answered)
            else:
                self._answered(self._app.refuse(received.request, received.error))
        self._in_turn = False

    def _answered(self, answer: Answer) -> None:
        """Write the answer of the current request."""
        received, self._answering = self._answering, None
        assert received is not None, "a request is answered once"
        self._budget.give(received.size)
        if not self._trusted:
            self._trusted = answer.status < BAD_REQUEST and received.request.path not in routes.OPEN
        self._write(received, answer)
        self._answer_next()
        if not self._owing:
            self._rest()

    def _write(self, received: ReceivedRequest, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        last = self._draining or not received.keep_alive
        connection = b"close" if last else b"keep-alive" if received.old else b""
        head = http_text.head(
            answer.status, answer.content_type, connection, int(time()), answer.headers
        )
        body = b"" if received.head else answer.body
        self._transport.write(b"%b%d\r\n\r\n%b" % (head, len(answer.body), body))
        if last:
            self._forget()
            self._reader.drop()
            self._reader.state = reader.REFUSED
            refused = received.error is not None and received.error.status != UNAVAILABLE
            stay = refused and not self._draining and not self._ended
            if stay and self._transport.can_write_eof():
                # If it closed now, with more data arriving, the client might lose the answer.
                self._transport.write_eof()
            else:
                self._transport.close()

    def _forget(self) -> None:
        """Drop the waiting requests without an answer."""
        for received in self._waiting:
            self._budget.give(received.size)
        self._waiting.clear()

    def _rest(self) -> None:
        """Wait for the next request."""
        if self._ended:
            self._transport.close()
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        at = self._address
        seconds = (at.idle_seconds, at.head_seconds, at.body_seconds, _LINGER_SECONDS)
        self._reader.deadline = self._loop.time() + seconds[self._reader.state]
        self._idle()
