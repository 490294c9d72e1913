"""Turns what ended a run early, an exception or a signal, into one readable error."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from pipeline.board import Board
from pipeline.shortages import shortage
from schemas.errors import SkewlessError


class InterruptedRunError(SkewlessError):
    """A person or the system stopped the command."""

    exit_code = 130  # 128 + SIGINT, the shells' convention


class UnexpectedError(SkewlessError):
    """An unforeseen failure; the log has its traceback."""


class Interrupts:
    """The signals that ask this process to end; true once there is one.

    Python raises KeyboardInterrupt at whatever point. Beam turns it into another error, and in a
    destructor or a callback of the garbage collector it is dropped. So loops call `check`.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []

    def __bool__(self) -> bool:
        return bool(self.signals)

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was a signal."""
        if self:
            raise KeyboardInterrupt


@contextlib.contextmanager
def noticing_interrupts() -> Iterator[Interrupts]:
    """Yield the record of Ctrl-C and SIGTERM; both raise KeyboardInterrupt meanwhile."""
    noticed = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield noticed  # Python interrupts its main thread alone
        return

    def notice(number: int, frame: FrameType | None) -> None:
        noticed.signals.append(number)
        signal.default_int_handler(number, frame)

    before = {number: signal.signal(number, notice) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noticed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupted_by(error: BaseException, stage: str | None, remedy: str) -> InterruptedRunError:
    """Return the error for an interrupted command, including the state of a job elsewhere."""
    at = f" in {stage}" if stage else ""
    detail = f": {error}" if isinstance(error, KeyboardInterrupt) and str(error) else ""
    interrupted = InterruptedRunError(f"interrupted{at}{detail}", remedy=remedy)
    interrupted.__cause__ = error
    return interrupted


def unexpected(error: BaseException, board: Board, log: Path) -> SkewlessError:
    """Return the error for an exception of a library: a shortage, or an unforeseen failure."""
    stage = f"{board.failed.name} failed" if board.failed else "the run failed"
    if (lack := shortage(stage, error, str(log.parent.parent.parent))) is not None:
        lack.__cause__ = error
        return lack
    unexpected = UnexpectedError(
        f"{stage}: {type(error).__name__}: {_cause(error)}",
        where=str(log),
        remedy="read the traceback there, or run again with -v to see it here",
    )
    unexpected.__cause__ = error
    return unexpected


def _cause(error: BaseException) -> str:
    """Return the line that names the cause: the last one if the message is a worker's traceback."""
    lines = [line for line in str(error).splitlines() if line.strip()] or ["no message"]
    return lines[-1 if "Traceback (most recent call last)" in str(error) else 0]
