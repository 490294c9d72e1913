"""What a run ended early by → one error in a person's words.

Goes in: what a library raised, or a signal. Comes out: what to tell, and what to do.
"""

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
    """A person, or the system, stopped it."""

    exit_code = 130  # 128 + SIGINT, as shells have it


class UnexpectedError(SkewlessError):
    """A failure that nobody foresaw; the log has its traceback."""


@contextlib.contextmanager
def noticing_interrupts() -> Iterator[list[int]]:
    """Yield a list that is no longer empty once Ctrl-C was pressed, or SIGTERM sent.

    Python raises KeyboardInterrupt for both, wherever it is at work, and Beam makes another error
    of it.
    """
    noticed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noticed  # Python interrupts its main thread alone
        return

    def notice(number: int, frame: FrameType | None) -> None:
        noticed.append(number)
        signal.default_int_handler(number, frame)

    before = {number: signal.signal(number, notice) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noticed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupted_by(error: BaseException, stage: str | None, remedy: str) -> InterruptedRunError:
    """Return the error of what was told to end, with what became of a job elsewhere."""
    at = f" in {stage}" if stage else ""
    told = f": {error}" if isinstance(error, KeyboardInterrupt) and str(error) else ""
    interrupted = InterruptedRunError(f"interrupted{at}{told}", remedy=remedy)
    interrupted.__cause__ = error
    return interrupted


def unexpected(error: BaseException, board: Board, log: Path) -> SkewlessError:
    """Return the error for what a library raised, be it a shortage or something nobody foresaw."""
    stage = f"{board.failed.name} failed" if board.failed else "the run failed"
    if (found := shortage(stage, error, str(log.parent.parent.parent))) is not None:
        found.__cause__ = error
        return found
    unexpected = UnexpectedError(
        f"{stage}: {type(error).__name__}: {_cause(error)}",
        where=str(log),
        remedy="read the traceback there, or run again with -v to see it here",
    )
    unexpected.__cause__ = error
    return unexpected


def _cause(error: BaseException) -> str:
    """The line that names the cause: the last one where a worker's traceback is the message."""
    lines = [line for line in str(error).splitlines() if line.strip()] or ["no message"]
    return lines[-1 if "Traceback (most recent call last)" in str(error) else 0]
