"""Deferred work in a separate thread, so that the event loop never waits for it.

Items are handed over with their weights, without a lock or a system call, and handled in batches.
Items that exceed the capacity are dropped, and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_PAUSE_SECONDS = 0.2
_DRAIN_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class Background(Generic[Item]):
    """A bounded queue and the thread that empties it.

    Args:
      name: the name of the thread.
      handle: called in the thread with the waiting items, in order; also with none, several times a
        second, so that it can keep time.
      capacity: the largest total weight of waiting items.

    Attributes:
      dropped: the number of items that exceeded the capacity. Only the offering thread writes it.
    """

    def __init__(self, name: str, handle: Callable[[list[Item]], None], capacity: int) -> None:
        self._handle = handle
        self._capacity = capacity
        self._items: deque[tuple[Item, int]] = deque()
        # Each counter is written by one thread only, so the waiting weight needs no lock.
        self._taken_in = 0
        self._taken_out = 0
        self.dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def offer(self, item: Item, weight: int = 1) -> bool:
        """Hand an item over; return False if it was dropped. Call this from one thread only."""
        if self._taken_in - self._taken_out + weight > self._capacity or self._closing.is_set():
            self.dropped += 1
            return False
        self._taken_in += weight
        self._items.append((item, weight))
        return True

    def close(self) -> None:
        """Handle the waiting items, then end the thread; a hanging one is left after seconds."""
        self._closing.set()
        self._thread.join(_DRAIN_SECONDS)
        if self._thread.is_alive():
            _logger.warning("%s: %d items were not handled", self._thread.name, len(self._items))

    def _work(self) -> None:
        while True:
            closing = self._closing.wait(_PAUSE_SECONDS)
            batch = [self._items.popleft() for _ in range(len(self._items))]
            try:
                self._handle([item for item, _ in batch])
            except Exception:  # a failing batch must not stop the next one
                _logger.exception("%s: %d items are lost", self._thread.name, len(batch))
            self._taken_out += sum(weight for _, weight in batch)
            if closing and not self._items:
                return
