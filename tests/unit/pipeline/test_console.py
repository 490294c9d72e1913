"""How a run is displayed: live on a terminal, as plain lines elsewhere."""

import io
import re

import pytest

from components import progress
from pipeline.board import Stage
from pipeline.console import Plain, Reporter, Silent, Terminal, figures, open_screen, outcome


class Tty(io.StringIO):
    def isatty(self):
        return True


class Gone(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


class Clock:
    """A clock that advances only on request."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def play(stream, clock, make=Plain):
    """Play a run of four stages: the second is cached, the last two are at the end."""
    screen = make(stream, clock)
    with Reporter(("ingest", "statistics", "train", "push"), screen, clock) as reporter:
        progress.emit(progress.Event("ingest", "start"))
        for _ in range(4):
            clock.now += 3
            progress.rows("ingest", 1500)
        progress.emit(progress.Event("ingest", "done", seconds=12.0))
        progress.emit(progress.Event("train", "start"))
        clock.now += 6
        progress.metrics("train", epoch=1, loss=0.25)
        progress.emit(progress.Event("train", "done", seconds=6.0))
        reporter.finish()
    return reporter


def test_plain_output_is_whole_lines():
    stream = io.StringIO()
    play(stream, Clock())
    assert stream.getvalue().splitlines() == [
        "ingest             6.0 s  3,000 rows, 500 rows/s ...",
        "ingest            12.0 s  6,000 rows, 500 rows/s",
        "statistics        cached",
        "train              6.0 s  epoch 1, loss 0.2500",
        "push              cached",
    ]


def test_a_quiet_run_shows_nothing_and_knows_its_stages(capsys):
    reporter = play(None, Clock(), lambda stream, clock: Silent())
    assert {name: stage.state for name, stage in reporter.board.stages.items()} == {
        "ingest": "done",
        "statistics": "cached",
        "train": "done",
        "push": "cached",
    }
    assert capsys.readouterr() == ("", "")


def test_a_remark_is_shown_before_its_stage():
    stream, clock = io.StringIO(), Clock()
    with Reporter(("ingest", "train"), Plain(stream, clock), clock):
        progress.remark("train", "not used again: its content changed")
        progress.emit(progress.Event("train", "start"))
        progress.emit(progress.Event("train", "done", seconds=6.0))
    assert stream.getvalue().splitlines() == [
        "ingest            cached",
        "train          not used again: its content changed",
        "train              6.0 s",
    ]


def test_a_terminal_keeps_one_line_a_stage_and_gives_the_cursor_back(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Tty()
    play(stream, Clock(), Terminal)
    text = stream.getvalue()
    kept = [line for line in strip(text).splitlines() if line.startswith(("✓", "="))]
    assert kept == [
        "✓ ingest            12.0 s  6,000 rows, 500 rows/s",
        "= statistics        cached",
        "✓ train              6.0 s  epoch 1, loss 0.2500",
        "= push              cached",
    ]
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def strip(text):
    """Return what remains of each line on the screen, after carriage returns and erasures."""
    lines = [line.rstrip("\r").rpartition("\x1b[2K")[2] for line in text.split("\n")]
    return "\n".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in lines)


def test_an_engines_job_is_shown_with_its_page_and_its_state():
    stream, clock = io.StringIO(), Clock()
    with Reporter(("ingest",), Plain(stream, clock), clock):
        progress.emit(progress.Event("ingest", "start"))
        progress.job("ingest", page="https://job")
        for state in ("pending", "running", "running"):
            clock.now += 6
            progress.job("ingest", state=state)
        progress.emit(progress.Event("ingest", "done", seconds=20.0))
    assert stream.getvalue().splitlines() == [
        "ingest         https://job",
        "ingest             6.0 s  job pending ...",
        "ingest            20.0 s",
    ]


@pytest.mark.parametrize(
    ("stream", "term", "kind"),
    [
        (Tty(), "xterm", Terminal),
        (Tty(), "dumb", Plain),
        (io.StringIO(), "xterm", Plain),
    ],
)
def test_a_stream_gets_the_screen_that_suits_it(monkeypatch, stream, term, kind):
    monkeypatch.setenv("TERM", term)
    assert type(open_screen(stream)) is kind


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Tty()
    play(stream, Clock(), Terminal)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", stream.getvalue())


def test_a_screen_that_disappears_does_not_stop_the_run(monkeypatch, capsys):
    monkeypatch.setattr("logging.raiseExceptions", False)
    with Reporter(("ingest",), Plain(Gone())) as reporter:
        progress.emit(progress.Event("ingest", "start"))
        progress.emit(progress.Event("ingest", "done", seconds=1.0))
    assert reporter.board.stages["ingest"].state == "done"


def test_after_the_run_nobody_listens():
    reporter = play(io.StringIO(), Clock())
    progress.rows("ingest", 5)
    assert reporter.board.stages["ingest"].rows == 6000


def test_a_failed_stage_says_so():
    assert outcome(Stage("gate", state="failed", seconds=0.5)) == "    0.5 s  failed"


def test_figures_are_short():
    assert figures({"epoch": 3, "auc": 0.912345, "rate": 123456.7, "note": "text"}) == (
        "epoch 3, auc 0.9123, rate 123,457, note text"
    )
