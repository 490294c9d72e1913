"""Progress events of stages.

Stages emit `Event`s on the logger `skewless.progress`; the code that runs them (the command, a
test, a remote worker's log) may attach a handler. Stages do not know about handlers.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

LOGGER = logging.getLogger("skewless.progress")

# The transform stage's notes about vocabularies: this prefix, followed by the column's name.
LEFT_OUT = "left_out_"


@dataclass(frozen=True)
class Event:
    """Something that happened in a stage.

    Attributes:
      stage: the stage's name in the DAG.
      kind: "start"; "rows", `rows` more rows are processed; "count", `values` has increments of
        named counts; "metrics", `values` has the latest figures (training); "job", `values` has the
        page or the state of an engine's job for the stage; "note", `values` belongs in the summary;
        "remark", so does the text in `values`, which is also shown at once; "done" or "failed",
        after `seconds`.
      memory: at the end, the most bytes that the process has had in memory so far.
    """

    stage: str
    kind: Literal["start", "rows", "count", "metrics", "job", "note", "remark", "done", "failed"]
    rows: int = 0
    seconds: float = 0.0
    memory: int = 0
    values: Mapping[str, float | int | str] = field(default_factory=dict)


# The nodes that stages report as, where a DAG has several nodes of a stage.
_NODES: dict[str, str] = {}


def emit(event: Event) -> None:
    """Send an event, which handlers find in the record's attribute `event`."""
    if event.stage in _NODES:
        event = replace(event, stage=_NODES[event.stage])
    LOGGER.info("%s %s", event.stage, event.kind, extra={"event": event})


def rows(stage: str, count: int) -> None:
    """Report that `count` more rows are processed."""
    emit(Event(stage, "rows", rows=count))


def count(stage: str, name: str, rows: int) -> None:
    """Report that `rows` more rows belong to a count of this name."""
    emit(Event(stage, "count", values={name: rows}))


def metrics(stage: str, **values: float | int | str) -> None:
    """Report the latest figures of training."""
    emit(Event(stage, "metrics", values=values))


def job(stage: str, **values: str) -> None:
    """Report the page, or the latest state, of an engine's job for a stage."""
    emit(Event(stage, "job", values=values))


def note(stage: str, **values: float | int | str) -> None:
    """Report figures that belong in the run's summary."""
    emit(Event(stage, "note", values=values))


def remark(stage: str, text: str) -> None:
    """Report a text about a stage that is shown at once; the stage may not have begun."""
    emit(Event(stage, "remark", values={"remark": text}))


@contextlib.contextmanager
def reported_as(stage: str, node: str) -> Iterator[None]:
    """Let a stage's events be those of a node, in all threads of this process."""
    _NODES[stage] = node
    try:
        yield
    finally:
        del _NODES[stage]


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Emit start, then done or failed with the seconds between."""
    started = time.monotonic()
    emit(Event(name, "start"))
    try:
        yield
    except BaseException:
        emit(Event(name, "failed", seconds=time.monotonic() - started, memory=_most_memory()))
        raise
    emit(Event(name, "done", seconds=time.monotonic() - started, memory=_most_memory()))


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
