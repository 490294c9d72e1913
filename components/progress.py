"""What a stage tells about itself while it works.

Stages emit `Event`s on the logger `skewless.progress`; whoever runs them (the command, a test, a
remote worker's log) attaches a handler or does not. No stage knows who listens.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

LOGGER = logging.getLogger("skewless.progress")

# The transform stage's notes on what a vocabulary leaves out: this, and then the column's name.
LEFT_OUT = "left_out_"


@dataclass(frozen=True)
class Event:
    """One thing that happened in a stage.

    Attributes:
      stage: the stage's name in the DAG.
      kind: "start"; "rows", `rows` more rows are through; "count", of each count in `values` so
        many more; "metrics", `values` are the latest figures (training); "job", `values` are the
        page or the state of what an engine does for the stage; "note", `values` belong in the
        summary; "remark", so does the text in `values`, which a person reads at once; "done" or
        "failed", after `seconds`.
    """

    stage: str
    kind: Literal["start", "rows", "count", "metrics", "job", "note", "remark", "done", "failed"]
    rows: int = 0
    seconds: float = 0.0
    values: Mapping[str, float | int | str] = field(default_factory=dict)


def emit(event: Event) -> None:
    """Send an event; handlers find it as the record's attribute `event`."""
    LOGGER.info("%s %s", event.stage, event.kind, extra={"event": event})


def rows(stage: str, count: int) -> None:
    """Tell that `count` more rows are through."""
    emit(Event(stage, "rows", rows=count))


def count(stage: str, name: str, rows: int) -> None:
    """Tell that `rows` more rows belong to a count of this name."""
    emit(Event(stage, "count", values={name: rows}))


def metrics(stage: str, **values: float | int | str) -> None:
    """Tell the latest figures of a stage that learns."""
    emit(Event(stage, "metrics", values=values))


def job(stage: str, **values: str) -> None:
    """Tell the page, or the latest state, of the job that an engine does for a stage."""
    emit(Event(stage, "job", values=values))


def note(stage: str, **values: float | int | str) -> None:
    """Tell figures that belong in the run's summary."""
    emit(Event(stage, "note", values=values))


def remark(stage: str, text: str) -> None:
    """Say something about a stage that a person should read at once; it may not have begun."""
    emit(Event(stage, "remark", values={"remark": text}))


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Emit start, then done or failed with the seconds between."""
    started = time.monotonic()
    emit(Event(name, "start"))
    try:
        yield
    except BaseException:
        emit(Event(name, "failed", seconds=time.monotonic() - started))
        raise
    emit(Event(name, "done", seconds=time.monotonic() - started))
