"""Joins what is asked at the same time: one call of the model for all requests that wait.

While the model computes, in a thread of its own, requests queue; when it is done, those of the
same signature that wait are joined, run and split again. An idle server so answers a request at
once, and a busy one in few large batches, with nothing to be set. Promised: a request fails alone,
waits no longer than its deadline, and is refused at once when too many wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.serve.failures import DEADLINE, TOO_MANY, RequestError
from components.serve.settings import Limits

Arrays = Mapping[str, np.ndarray]


@dataclass(eq=False)
class _Waiting:
    """A request; `rows` None if it cannot be joined with others."""

    key: Any
    inputs: Arrays
    rows: int | None
    future: asyncio.Future[Arrays]

    @property
    def weight(self) -> int:
        return 1 if self.rows is None else self.rows


class Batcher:
    """The queue before a model; use it from one event loop.

    Args:
      run: computes the outputs of (key, inputs); called in a thread, one call at a time.
      limits: of the queue.
      on_batch: told in the event loop of each batch: its rows, its requests, and its seconds.
    """

    def __init__(
        self,
        run: Callable[[Any, Arrays], Arrays],
        limits: Limits,
        on_batch: Callable[[int, int, float], None] | None = None,
    ) -> None:
        self._run = run
        self._limits = limits
        self._on_batch = on_batch
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._thread = ThreadPoolExecutor(1, "model")
        self._worker: asyncio.Task[None] | None = None

    @property
    def requests_waiting(self) -> int:
        """How many requests wait, those being computed not counted."""
        return len(self._queue)

    @property
    def rows_waiting(self) -> int:
        """How many rows these have."""
        return self._rows

    async def ask(self, key: Any, inputs: Arrays, rows: int | None, seconds: float) -> Arrays:
        """Return the outputs for the inputs.

        Args:
          key: what to run; requests of equal keys are joined.
          inputs: an array an input.
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

    def close(self) -> None:
        """Wait until the thread has computed what it is at, and end it."""
        self._thread.shutdown(cancel_futures=True)

    def _append(self, item: _Waiting) -> None:
        full = self._rows + item.weight > self._limits.rows and self._queue
        if len(self._queue) >= self._limits.requests or full:
            raise RequestError(
                f"{len(self._queue)} requests of {self._rows} rows wait already: ask again later",
                TOO_MANY,
            )
        self._queue.append(item)
        self._rows += item.weight
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())

    def _expire(self, item: _Waiting, seconds: float) -> None:
        if item.future.done():
            return
        item.future.set_exception(RequestError(f"no answer within {seconds:g} s", DEADLINE))
        if item in self._queue:  # or it is being computed, for nobody
            self._queue.remove(item)
            self._rows -= item.weight

    async def _work(self) -> None:
        """Run batches until nobody waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                batch = self._take()
                started = loop.time()
                results = await loop.run_in_executor(self._thread, self._answer, batch)
                for item, result in zip(batch, results, strict=True):
                    _deliver(item.future, result)
                if self._on_batch is not None:
                    rows = sum(item.weight for item in batch)
                    self._on_batch(rows, len(batch), loop.time() - started)
        finally:
            self._worker = None

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

    def _answer(self, batch: Sequence[_Waiting]) -> list[Arrays | Exception]:
        """Compute a batch, in the model's thread; if it fails as a whole, each for itself."""
        try:
            return list(self._computed(batch))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
            if len(batch) == 1:
                return [error]
        return [result for item in batch for result in self._answer([item])]

    def _computed(self, batch: Sequence[_Waiting]) -> Sequence[Arrays]:
        first = batch[0]
        if len(batch) == 1:
            return [self._run(first.key, first.inputs)]
        joined = {
            name: np.concatenate([item.inputs[name] for item in batch]) for name in first.inputs
        }
        return split(self._run(first.key, joined), [item.weight for item in batch])


def split(outputs: Arrays, sizes: Sequence[int]) -> list[Arrays]:
    """Return each request's share of joined outputs.

    Raises:
      ValueError: an output is not of one row a row.
    """
    ends = np.cumsum(sizes).tolist()
    for name, array in outputs.items():
        if array.shape[:1] != (ends[-1],):
            raise ValueError(f"output {name!r} of {ends[-1]} rows has shape {array.shape}")
    starts = [0, *ends[:-1]]
    return [
        {name: array[start:end] for name, array in outputs.items()}
        for start, end in zip(starts, ends, strict=True)
    ]


def _deliver(future: asyncio.Future[Arrays], result: Arrays | Exception) -> None:
    if future.done():  # too late, or nobody waits any more
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
