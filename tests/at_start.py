"""Runs an action when a stage of a run reports an event."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from components import progress


@contextlib.contextmanager
def at_start(stage: str, do: Callable[[], object]) -> Iterator[None]:
    """Call `do` when `stage` begins, as long as the block runs."""
    with at(lambda event: (event.stage, event.kind) == (stage, "start"), do):
        yield


@contextlib.contextmanager
def at(wanted: Callable[[progress.Event], bool], do: Callable[[], object]) -> Iterator[None]:
    """Call `do` at each matching event, as long as the block runs."""
    handler = _Handler(wanted, do)
    progress.LOGGER.addHandler(handler)
    try:
        yield
    finally:
        progress.LOGGER.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, wanted: Callable[[progress.Event], bool], do: Callable[[], object]) -> None:
        super().__init__()
        self._wanted, self._do = wanted, do

    def emit(self, record: logging.LogRecord) -> None:
        if self._wanted(record.event):  # type: ignore[attr-defined]
            self._do()
