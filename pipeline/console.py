"""Shows a run on the screen: live on a terminal, as plain lines elsewhere.

Progress events arrive through the logger `skewless.progress`, from any thread. A finished stage
becomes a permanent line; the line of the running stage is redrawn or repeated now and then.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

from components import progress
from pipeline.board import Board, Stage

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.spinner import Spinner

NAME_WIDTH = 14
PLAIN_INTERVAL = 5.0  # seconds between two plain lines of one stage

IMPORTS = "imports"  # reported like a stage, because it takes seconds
# What a stage that counts no rows shows while it works.
DOING = {IMPORTS: "loading TensorFlow, TFX and Beam ..."}


class Screen(Protocol):
    """An output for progress; each line is `(text, style)` with one of rich's styles."""

    def line(self, text: str, style: str = "") -> None:
        """Show a permanent line."""

    def ended(self, stage: Stage) -> None:
        """Show a stage that has ended."""

    def working(self, stage: Stage) -> None:
        """Show that the running stage has made progress."""

    def close(self) -> None:
        """Restore the terminal."""


def open_screen(stream: TextIO) -> Screen:
    """Return the screen for a stream: live if the stream understands cursor movements."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Terminal(stream)
    return Plain(stream)


class Plain:
    """Whole lines without control characters: for files, pipes and logs."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._stage = ""
        self._written_at = 0.0
        self._due = ""

    def line(self, text: str, style: str = "") -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def ended(self, stage: Stage) -> None:
        """Write the stage's outcome."""
        self._due = ""
        self.line(f"{stage.name:<{NAME_WIDTH}} {outcome(stage)}".rstrip())

    def working(self, stage: Stage) -> None:
        """Write the stage's progress, every few seconds.

        A due line waits for the next event of the stage, because that may be the outcome.
        """
        now = self._clock()
        if stage.name != self._stage:
            self._stage, self._written_at, self._due = stage.name, now, ""
            if stage.name in DOING:
                self.line(f"{stage.name:<{NAME_WIDTH}} {DOING[stage.name]}")
            return
        if self._due:
            self.line(self._due)
            self._written_at, self._due = now, ""
        if now - self._written_at >= PLAIN_INTERVAL:
            self._due = f"{stage.name:<{NAME_WIDTH}} {doing(stage, now)} ..."

    def close(self) -> None:
        """Do nothing: nothing has to be restored."""


class Silent:
    """Shows nothing, for runs of which only the exit code and errors matter."""

    def line(self, text: str, style: str = "") -> None:
        """Show nothing."""

    def ended(self, stage: Stage) -> None:
        """Show nothing."""

    def working(self, stage: Stage) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing: nothing has to be restored."""


class Terminal:
    """A live line for the running stage, below the lines of the finished ones."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.live import Live

        self._clock = clock
        self._stage: Stage | None = None
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._spinner: Spinner | None = None

    def line(self, text: str, style: str = "") -> None:
        """Print a line above the live one."""
        from rich.text import Text

        self._console.print(Text(text, style=style))

    def ended(self, stage: Stage) -> None:
        """Print the stage's outcome and remove it from the live line."""
        from rich.text import Text

        mark, style = _MARKS[stage.state]
        self._stage = None
        self._live.refresh()  # otherwise its line stays until the next regular refresh
        self._console.print(
            Text.assemble(
                (f"{mark} ", style), f"{stage.name:<{NAME_WIDTH}} ", (outcome(stage), "dim")
            )
        )

    def working(self, stage: Stage) -> None:
        """Put the stage on the live line."""
        self._stage = stage
        if not self._live.is_started:
            self._live.start()

    def close(self) -> None:
        """Remove the live line and show the cursor again."""
        self._stage = None
        self._live.stop()

    def _render(self) -> RenderableType:
        from rich.spinner import Spinner
        from rich.text import Text

        stage = self._stage
        if stage is None:
            return Text("")
        if self._spinner is None:
            self._spinner = Spinner("dots", style="cyan")
        text = Text(f"{stage.name:<{NAME_WIDTH}} {doing(stage, self._clock())}", no_wrap=True)
        text.truncate(max(self._console.width - 2, 1), overflow="ellipsis")
        self._spinner.update(text=text)
        return self._spinner


_MARKS = {
    "done": ("✓", "green"),
    "cached": ("=", "cyan"),
    "failed": ("✗", "bold red"),
    "waiting": (" ", ""),
    "running": (" ", ""),
}


def outcome(stage: Stage) -> str:
    """Return how a stage ended, in one line.

    >>> outcome(Stage("ingest", state="done", seconds=0.5, rows=15_000))
    '    0.5 s  15,000 rows, 30,000 rows/s'
    >>> outcome(Stage("ingest", state="cached"))
    '   cached'
    """
    if stage.state == "cached":
        return f"{'cached':>9}"
    parts = [f"{stage.seconds:7.1f} s"]
    if stage.state == "failed":
        parts.append("failed")
    parts += filter(None, [_rows(stage, stage.seconds), figures(stage.metrics)])
    return "  ".join(parts)


def doing(stage: Stage, now: float) -> str:
    """Return the progress of a stage at the time `now`."""
    parts = [f"{now - stage.started:7.1f} s"]
    parts += filter(None, [DOING.get(stage.name), _rows(stage, now), figures(stage.metrics)])
    parts += [f"job {stage.job['state']}"] if "state" in stage.job else []
    return "  ".join(parts)


def _rows(stage: Stage, now: float) -> str:
    rate = stage.rows_per_second(now)
    return f"{stage.rows:,} rows, {rate:,.0f} rows/s" if rate else ""


def figures(values: Mapping[str, float | int | str]) -> str:
    """Format named figures in one line.

    >>> figures({"epoch": 3, "loss": 0.123456, "examples_per_second": 612345.6})
    'epoch 3, loss 0.1235, examples_per_second 612,346'
    """
    return ", ".join(f"{name} {figure(value)}" for name, value in values.items())


def figure(value: float | int | str) -> str:
    """Format one figure: integers with commas, others with four decimal places."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else value


class Reporter(logging.Handler):
    """Passes progress events to a board and a screen; attaches itself as a context manager."""

    def __init__(
        self, names: Iterable[str], screen: Screen, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.board = Board(names)
        self._screen = screen
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Process one event; a screen that has disappeared does not stop the run."""
        event: progress.Event = record.event  # type: ignore[attr-defined]
        try:
            for stage in self.board.update(event, self._clock()):
                self._screen.ended(stage)
            if event.kind == "job" and "page" in event.values:
                self._screen.line(f"{event.stage:<{NAME_WIDTH}} {event.values['page']}")
            if event.kind == "remark":
                self._screen.line(f"{event.stage:<{NAME_WIDTH}} {event.values['remark']}")
            elif self.board.running and event.kind != "note":
                self._screen.working(self.board.running)
        except OSError:
            self.handleError(record)

    def finish(self) -> None:
        """Show the stages at the DAG's end that were cached."""
        for stage in self.board.finish():
            self._screen.ended(stage)

    def __enter__(self) -> Reporter:
        progress.LOGGER.addHandler(self)
        progress.LOGGER.setLevel(logging.INFO)
        return self

    def __exit__(self, *_: object) -> None:
        progress.LOGGER.removeHandler(self)
        self._screen.close()
