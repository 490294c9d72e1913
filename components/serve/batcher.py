"""Joins what is asked at the same time: one call of the model for all requests that wait.

While the model computes, in a thread of its own, requests queue; when it is done, those of the
same signature that wait are joined, run and split again. An idle server so answers a request at
once, and a busy one in few large batches, with nothing to be set. Promised: a request fails alone,
waits no longer than its deadline, and is refused at once when too many wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import numpy as np

from components.serve.failures import DEADLINE, TOO_MANY, RequestError
from components.serve.messages import Arrays
from components.serve.settings import Limits


class Done(NamedTuple):
    """What a request was computed from, and what came of it."""

    inputs: Arrays
    outputs: Arrays


Converted = TypeVar("Converted")


class Share(Mapping[str, np.ndarray]):
    """Some rows of a batch's arrays, cut out when they are looked at.

    Args:
      arrays: of the batch.
      rows: of this share.
      converted: what `of_batch` gave for the batch's arrays, by name; one for all shares.
    """

    __slots__ = ("_arrays", "_converted", "rows")

    def __init__(self, arrays: Arrays, rows: slice, converted: dict[str, Any]) -> None:
        self._arrays, self.rows, self._converted = arrays, rows, converted

    def of_batch(self, name: str, convert: Callable[[str, np.ndarray], Converted]) -> Converted:
        """Return what a name and the whole batch's array are converted to, once for all shares.

        Every share of a batch has to ask with the same `convert`.
        """
        if name not in self._converted:
            self._converted[name] = convert(name, self._arrays[name])
        converted: Converted = self._converted[name]
        return converted

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name][self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


@dataclass(eq=False)
class _Waiting:
    """A request; `rows` None if it cannot be joined with others."""

    key: Any
    inputs: Any
    rows: int | None
    future: asyncio.Future[Done]

    @property
    def weight(self) -> int:
        return 1 if self.rows is None else self.rows


class _Batch(NamedTuple):
    """Requests that are computed together; `started` is of the loop's clock."""

    loop: asyncio.AbstractEventLoop
    requests: list[_Waiting]
    started: float


def concatenated(inputs: Sequence[Arrays]) -> Arrays:
    """Return the arrays of several requests as one array each."""
    if len(inputs) == 1:
        return inputs[0]
    return {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}


class Batcher:
    """The queue before a model; use it from one event loop.

    Args:
      run: computes the outputs of (key, arrays); called in a thread, one call at a time.
      limits: of the queue.
      on_batch: told in the event loop of each batch: its rows, its requests, and its seconds.
      join: returns the arrays of several requests' inputs; called in the same thread. It may
        refuse inputs of one request with a RequestError.
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
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._busy = False  # a batch is computed, or about to be taken
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    @property
    def requests_waiting(self) -> int:
        """How many requests wait, those being computed not counted."""
        return len(self._queue)

    @property
    def rows_waiting(self) -> int:
        """How many rows these have."""
        return self._rows

    async def ask(self, key: Any, inputs: Any, rows: int | None, seconds: float) -> Done:
        """Return the outputs for the inputs.

        Args:
          key: what to run; requests of equal keys are joined.
          inputs: an array an input, or what `join` makes arrays of.
          rows: the size of every array's first dimension; None to run the request alone.
          seconds: how long to wait for the answer.

        Raises:
          RequestError: too many wait (429), the time is over (504), or what `run` refused.
        """
        loop = asyncio.get_running_loop()
        item = _Waiting(key, inputs, rows, loop.create_future())
        self._append(item)
        timer = loop.call_later(seconds, self._expire, item, seconds)
        try:
            return await item.future
        finally:
            timer.cancel()
            del item  # an error's traceback holds this frame, and its future the error

    def close(self) -> None:
        """Wait until the thread has computed what it is at, and end it."""
        self._batches.put(None)
        self._thread.join()

    def _append(self, item: _Waiting) -> None:
        full = self._rows + item.weight > self._limits.rows and self._queue
        if len(self._queue) >= self._limits.requests or full:
            raise RequestError(
                f"{len(self._queue)} requests of {self._rows} rows wait already: ask again later",
                TOO_MANY,
            )
        self._queue.append(item)
        self._rows += item.weight
        if not self._busy:
            self._busy = True
            # Not at once: what has just arrived with it is read first, and joined.
            asyncio.get_running_loop().call_soon(self._next)

    def _expire(self, item: _Waiting, seconds: float) -> None:
        if item.future.done():
            return
        item.future.set_exception(RequestError(f"no answer within {seconds:g} s", DEADLINE))
        if item in self._queue:  # or it is being computed, for nobody
            self._queue.remove(item)
            self._rows -= item.weight

    def _next(self) -> None:
        """Have the next batch computed, if somebody waits."""
        self._busy = bool(self._queue)
        if self._busy:
            loop = asyncio.get_running_loop()
            self._batches.put(_Batch(loop, self._take(), loop.time()))

    def _work(self) -> None:
        """Compute batches, in the model's thread, until there are no more."""
        while (batch := self._batches.get()) is not None:
            results = self._answer(batch.requests)
            batch.loop.call_soon_threadsafe(self._deliver, batch, results)

    def _deliver(self, batch: _Batch, results: Sequence[Done | Exception]) -> None:
        self._next()  # before the answers are written: the model has no time to lose
        for item, result in zip(batch.requests, results, strict=True):
            _settle(item.future, result)
        if self._on_batch is not None:
            rows = sum(item.weight for item in batch.requests)
            seconds = asyncio.get_running_loop().time() - batch.started
            self._on_batch(rows, len(batch.requests), seconds)

    def _take(self) -> list[_Waiting]:
        """Take the first that waits, and those behind it that can be joined to it."""
        first = self._queue.popleft()
        batch, rows = [first], first.weight
        if first.rows is not None:
            others: deque[_Waiting] = deque()
            while self._queue:
                item = self._queue.popleft()
                fits = item.rows is not None and rows + item.rows <= self._limits.batch_rows
                if fits and item.key == first.key:
                    batch.append(item)
                    rows += item.weight
                else:
                    others.append(item)
            self._queue = others
        self._rows -= rows
        return batch

    def _answer(self, batch: Sequence[_Waiting]) -> list[Done | Exception]:
        """Compute a batch, in the model's thread; if it fails as a whole, each for itself."""
        try:
            return self._computed(batch)
        except RequestError as error:
            if len(batch) == 1:
                # A refusal says all in its message. Its traceback would hold the batch, whose
                # future holds it: as many such rings as requests wait for garbage collection.
                return [error.with_traceback(None)]
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


def split(arrays: Arrays, sizes: Sequence[int]) -> list[Share]:
    """Return each request's share of joined arrays.

    Raises:
      ValueError: an array is not of one row a row.
    """
    rows = sum(sizes)
    for name, array in arrays.items():
        if array.shape[:1] != (rows,):
            raise ValueError(f"array {name!r} of {rows} rows has shape {array.shape}")
    ends, converted = list(accumulate(sizes)), dict[str, Any]()
    return [
        Share(arrays, slice(end - size, end), converted)
        for end, size in zip(ends, sizes, strict=True)
    ]


def _settle(future: asyncio.Future[Done], result: Done | Exception) -> None:
    if future.done():  # too late, or nobody waits any more
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
