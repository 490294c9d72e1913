"""Work that may wait, done in a thread of its own, so that the event loop never waits for it.

Goes in: items, each with its weight. Comes out: calls with all that has come since the last one.
Promised: handing over takes no lock and no system call; what would be too much is dropped, and
counted.
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
      name: of the thread.
      handle: called in the thread with the items that have come, in order; also with none, several
        times a second, so that it can keep time.
      capacity: the weight that may wait.

    Attributes:
      dropped: items that found no place. Written by the one thread that offers.
    """

    def __init__(self, name: str, handle: Callable[[list[Item]], None], capacity: int) -> None:
        self._handle = handle
        self._capacity = capacity
        self._items: deque[tuple[Item, int]] = deque()
        # Each is written by one thread alone, so no lock is needed to tell what waits.
        self._taken_in = 0
        self._taken_out = 0
        self.dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def offer(self, item: Item, weight: int = 1) -> bool:
        """Hand an item over; False if it was dropped. To be called from one thread."""
        if self._taken_in - self._taken_out + weight > self._capacity or self._closing.is_set():
            self.dropped += 1
            return False
        self._taken_in += weight
        self._items.append((item, weight))
        return True

    def close(self) -> None:
        """Handle what waits, then end the thread; one that hangs is left after some seconds."""
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
            except Exception:  # what is wrong with one batch says nothing of the next
                _logger.exception("%s: %d items are lost", self._thread.name, len(batch))
            self._taken_out += sum(weight for _, weight in batch)
            if closing and not self._items:
                return
