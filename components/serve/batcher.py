"""Batches concurrent requests: one call of the model for all requests that wait.

Requests queue while a batch is computed. Then those with the same signature are joined, run and
split again. An idle server therefore answers a request at once, and a busy one runs few large
batches, without any tuning. A request fails alone, waits no longer than its deadline, and is
refused at once when too many requests wait.

A batch is computed in a thread, so that the event loop continues meanwhile. A batch that takes no
longer than handing Python's interpreter to another thread and back is computed in the loop itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple

from components.serve.failures import DEADLINE, TOO_MANY, GraphError, RequestError
from components.serve.messages import Arrays
from components.serve.settings import Limits
from components.serve.shares import concatenated, split

_TICK_SECONDS = 0.001  # resolution of deadlines

# A batch is computed in the event loop if it has at most so many rows, and recent batches of the
# model took less than this time. A slow batch is remembered for dozens of batches. A new model
# counts as slow.
_QUICK_ROWS = 1_024
_QUICK_SECONDS = 0.005
_REMEMBERED = 0.9
_UNKNOWN_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class Done(NamedTuple):
    """The inputs of a request and its outputs."""

    inputs: Arrays
    outputs: Arrays


@dataclass(eq=False)
class _Waiting:
    """A request; `rows` is None if it cannot be batched, `done` is None once it is answered.

    `deadline` is a time of the loop's clock, `seconds` after the request came.
    """

    key: Any
    inputs: Any
    rows: int | None
    seconds: float
    deadline: float
    done: Callable[[Done | Exception], None] | None

    @property
    def weight(self) -> int:
        return 1 if self.rows is None else self.rows

    def settle(self, result: Done | Exception) -> None:
        """Answer, unless it was answered already."""
        done, self.done = self.done, None
        if done is None:
            return
        try:
            done(result)
        except Exception:  # the others of its batch still need their answers
            _logger.exception("what was computed could not be answered")

    def give_up(self) -> None:
        """Answer that the time is over."""
        self.settle(RequestError(f"no answer within {self.seconds:g} s", DEADLINE))


class Batcher:
    """The queue before a model; use it from one event loop.

    Args:
      run: computes the outputs of (key, arrays); called in a thread or in the event loop, one call
        at a time.
      limits: the limits of the queue.
      on_batch: called in the event loop after each batch, with its rows, requests and seconds.
      join: returns the arrays of several requests' inputs; called in the same thread as `run`. It
        may refuse inputs of one request with a RequestError.
    """

    def __init__(
        self,
        run: Callable[[Any, Arrays], Arrays],
        limits: Limits,
        on_batch: Callable[[int, int, float], None] | None = None,
        join: Callable[[Sequence[Any]], Arrays] = concatenated,
    ) -> None:
        self._run = run
        self._limits = limits
        self._on_batch = on_batch
        self._join = join
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None  # at the first deadline, or earlier
        self._alarm_at = math.inf
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._busy = False  # a batch is being computed, or about to start
        self._running: Sequence[_Waiting] = ()
        self._slowest = _UNKNOWN_SECONDS  # of recent batches
        self._batches: SimpleQueue[Sequence[_Waiting] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    @property
    def requests_waiting(self) -> int:
        """The number of waiting requests, without those being computed."""
        return len(self._queue)

    @property
    def rows_waiting(self) -> int:
        """The number of rows of the waiting requests."""
        return self._rows

    def submit(
        self,
        key: Any,
        inputs: Any,
        rows: int | None,
        seconds: float,
        done: Callable[[Done | Exception], None],
    ) -> None:
        """Compute the outputs for the inputs.

        Args:
          key: identifies what to run; requests with equal keys are joined.
          inputs: an array for each input, or an object that `join` turns into arrays.
          rows: the size of every array's first dimension; None to run the request alone.
          seconds: how long to wait for the answer.
          done: called once, later, in the event loop, with the answer or an error: a RequestError
            (504) if the time is over, or whatever `run` raised.

        Raises:
          RequestError: too many requests wait (429); `done` is not called.
        """
        deadline = self._loop.time() + seconds
        item = _Waiting(key, inputs, rows, seconds, deadline, done)
        full = self._rows + item.weight > self._limits.rows and self._queue
        if len(self._queue) >= self._limits.requests or full:
            waiting = f"{len(self._queue)} requests of {self._rows} rows"
            raise RequestError(f"{waiting} wait already: try again later", TOO_MANY)
        self._queue.append(item)
        self._rows += item.weight
        if deadline < self._alarm_at:
            self._wake_at(deadline)
        if not self._busy:
            self._busy = True
            # Not at once: requests that have just arrived with it are read first, and joined.
            self._loop.call_soon(self._next)

    async def close(self) -> None:
        """Wait until the thread has finished its batch, and end it."""
        self._wake_at(math.inf)
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _wake_at(self, deadline: float) -> None:
        """Check deadlines then: one timer for all, as nearly every request is in time."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = deadline
        if deadline < math.inf:
            self._alarm = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        """Give up the requests whose time is over, including those being computed."""
        now = self._loop.time() + _TICK_SECONDS
        for item in [each for each in self._queue if each.deadline <= now]:
            self._queue.remove(item)
            self._rows -= item.weight
            item.give_up()
        for item in self._running:
            if item.deadline <= now:
                item.give_up()
        waiting = [each.deadline for each in (*self._queue, *self._running) if each.done]
        self._wake_at(min(waiting, default=math.inf))

    def _next(self) -> None:
        """Start the next batch if requests wait."""
        self._busy = bool(self._queue)
        self._running = self._take() if self._busy else ()
        if not self._running:
            return
        rows = sum(item.weight for item in self._running)
        if rows <= _QUICK_ROWS and self._slowest < _QUICK_SECONDS:
            self._deliver(self._running, *self._timed(self._running))
            self._loop.call_soon(self._next)  # after newly arrived requests are read
        else:
            self._batches.put(self._running)

    def _work(self) -> None:
        """Compute batches in the model's thread until no requests wait."""
        while (batch := self._batches.get()) is not None:
            computed = self._timed(batch)
            try:
                self._loop.call_soon_threadsafe(self._go_on, batch, *computed)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise
                return  # the server has ended; nobody waits for these answers

    def _go_on(
        self, batch: Sequence[_Waiting], results: Sequence[Done | Exception], seconds: float
    ) -> None:
        self._next()  # before the answers are written, so that the model does not idle
        self._deliver(batch, results, seconds)

    def _deliver(
        self, batch: Sequence[_Waiting], results: Sequence[Done | Exception], seconds: float
    ) -> None:
        self._slowest = max(seconds, self._slowest * _REMEMBERED)
        for item, result in zip(batch, results, strict=True):
            item.settle(result)
        if self._on_batch is not None:
            self._on_batch(sum(item.weight for item in batch), len(batch), seconds)

    def _take(self) -> list[_Waiting]:
        """Take the first waiting request, and those behind it that can be joined to it."""
        first = self._queue.popleft()
        batch, rows = [first], first.weight
        if first.rows is not None:
            others = deque[_Waiting]()
            for item in self._queue:
                fits = item.rows is not None and rows + item.rows <= self._limits.batch_rows
                if fits and item.key == first.key:
                    batch.append(item)
                    rows += item.weight
                else:
                    others.append(item)
            self._queue = others
        self._rows -= rows
        return batch

    def _timed(self, batch: Sequence[_Waiting]) -> tuple[list[Done | Exception], float]:
        started = time.perf_counter()
        return self._answer(batch), time.perf_counter() - started

    def _answer(self, batch: Sequence[_Waiting]) -> list[Done | Exception]:
        """Compute a batch; if it fails as a whole, compute each request separately."""
        try:
            return self._computed(batch)
        except RequestError as error:
            if len(batch) == 1:
                refusal = error.explained() if isinstance(error, GraphError) else error
                # The message of a refusal is enough; a traceback would keep the batch in memory.
                return [refusal.with_traceback(None)]
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
            if len(batch) == 1:
                return [error]
        return [result for item in batch for result in self._answer([item])]

    def _computed(self, batch: Sequence[_Waiting]) -> list[Done | Exception]:
        inputs = self._join([item.inputs for item in batch])
        outputs = self._run(batch[0].key, inputs)
        if len(batch) == 1:
            return [Done(inputs, outputs)]
        sizes = [item.weight for item in batch]
        shares = zip(split(inputs, sizes), split(outputs, sizes), strict=True)
        return [Done(*share) for share in shares]
