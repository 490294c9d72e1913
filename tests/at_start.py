"""Do something to a run when one of its stages begins."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from components import progress


@contextlib.contextmanager
def at_start(stage: str, do: Callable[[], object]) -> Iterator[None]:
    """Call `do` when `stage` begins, as long as the block runs."""
    handler = _Handler(stage, do)
    progress.LOGGER.addHandler(handler)
    try:
        yield
    finally:
        progress.LOGGER.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, stage: str, do: Callable[[], object]) -> None:
        super().__init__()
        self._stage, self._do = stage, do

    def emit(self, record: logging.LogRecord) -> None:
        event: progress.Event = record.event  # type: ignore[attr-defined]
        if (event.stage, event.kind) == (self._stage, "start"):
            self._do()
