"""Reads gRPC messages: counts and decompresses them, and gives up those that take too long.

gRPC reports the size of a message only once all of it is in memory. A message that arrives at once
reserves nothing; a slow one reserves room for the largest possible message, so that even many slow
messages do not exceed the budget. Without room, a message is refused with RESOURCE_EXHAUSTED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc

from components.serve.budget import Budget
from components.serve.failures import REQUEST_TIMEOUT, TOO_MANY, RequestError

# Nearly all messages arrive with their call. A message that is still missing after two looks is
# slow: in between, the event loop had time to read it, however busy it is.
_LOOK_SECONDS = 0.05
_AT_ONCE_LOOKS = 2
_PATIENCE_SECONDS = 2.0  # after this time the slowest message is refused, and not the newest


@dataclass(eq=False)
class _Reading:
    """A message in transit; `error` says why it was given up."""

    task: asyncio.Task[bytes]
    since: float
    looks: int = 0
    reserved: bool = False
    error: RequestError | None = None

    def give_up(self, error: RequestError) -> None:
        self.error = error
        self.task.cancel()


class MessageReader:
    """Reads one message for each call; use it from one event loop.

    Args:
      budget: counts the bytes of messages; half of it is for slow ones.
      most: the largest message in bytes, which gRPC enforces, too.
      seconds: the time limit for a message.
    """

    def __init__(self, budget: Budget, most: int, seconds: float) -> None:
        self._budget = budget
        self._most = most
        self._seconds = seconds
        self._slow = max(1, budget.most // (2 * most))
        self._readings: dict[_Reading, None] = {}  # oldest first
        self._look: asyncio.TimerHandle | None = None

    async def read(self, receive: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the message of a call; the budget counts its bytes until the caller returns them.

        Args:
          receive: gRPC's function to read it.

        Raises:
          RequestError: there is no message, it takes too long, or there is no room for it.
        """
        loop = asyncio.get_running_loop()
        reading = _Reading(asyncio.ensure_future(_received(receive)), loop.time())
        self._readings[reading] = None
        if self._look is None:
            self._look = loop.call_later(_LOOK_SECONDS, self._look_at_all)
        try:
            message = await reading.task
        except asyncio.CancelledError:
            reading.task.cancel()
            if reading.error is None:
                raise
            raise reading.error from None
        finally:
            del self._readings[reading]
            if reading.reserved:
                self._budget.give(self._most)
        self._budget.take(len(message))
        return message

    def _look_at_all(self) -> None:
        """Reserve room for slow messages, and give up those without room."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        slow = []
        for reading in self._readings:
            reading.looks += 1
            if reading.looks > _AT_ONCE_LOOKS and reading.error is None:
                slow.append(reading)
        for reading in slow:
            if now - reading.since > self._seconds:
                reading.give_up(RequestError("the message did not arrive in time", REQUEST_TIMEOUT))
            elif not reading.reserved:
                self._make_room(reading, [each for each in slow if each.reserved], now)
        self._look = None
        if self._readings:
            self._look = loop.call_later(_LOOK_SECONDS, self._look_at_all)

    def _make_room(self, reading: _Reading, reserved: list[_Reading], now: float) -> None:
        refusal = RequestError("too many messages arrive slowly: send it again later", TOO_MANY)
        if len(reserved) >= self._slow:
            oldest = reserved[0]
            if now - oldest.since <= _PATIENCE_SECONDS:
                reading.give_up(refusal)
                return
            oldest.reserved = False
            self._budget.give(self._most)
            oldest.give_up(refusal)
        try:
            self._budget.take(self._most)
        except RequestError as error:
            reading.give_up(error)
        else:
            reading.reserved = True


async def _received(receive: Callable[[], Awaitable[bytes]]) -> bytes:
    message = await receive()
    if message is grpc.aio.EOF:
        raise RequestError("no message has arrived, or one that is too large")
    return message
