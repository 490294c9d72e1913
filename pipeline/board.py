"""The state of a run in progress: takes progress events and keeps a state for each stage.

This is pure bookkeeping. The caller passes the time, so that both kinds of screen show the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from components.progress import Event

State = Literal["waiting", "running", "done", "cached", "failed"]


@dataclass
class Stage:
    """The progress of one stage.

    Attributes:
      name: its node in the DAG.
      state: its state; "cached" when the output of an earlier run was used again.
      started: when it started, on the clock of the caller, in seconds.
      seconds: how long it took, once it has ended.
      rows: how many rows it has processed.
      counts: counts by kind of outcome, where the stage reports them.
      metrics: the latest figures of a stage that learns.
      job: page and latest state of the job that an engine does for it.
      notes: figures for the summary.
      memory: the most bytes that its process had in memory until it ended; 0 if it is not known.
    """

    name: str
    state: State = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    metrics: dict[str, float | int | str] = field(default_factory=dict)
    job: dict[str, float | int | str] = field(default_factory=dict)
    notes: dict[str, float | int | str] = field(default_factory=dict)
    memory: int = 0

    def rows_per_second(self, now: float) -> float | None:
        """Return the mean rate so far; None if no rows are counted."""
        seconds = self.seconds if self.state in ("done", "failed") else now - self.started
        return self.rows / seconds if self.rows and seconds > 0 else None


class Board:
    """The stages of a run, in the order of the DAG."""

    def __init__(self, names: Iterable[str]) -> None:
        self.stages = {name: Stage(name) for name in names}

    def update(self, event: Event, now: float) -> list[Stage]:
        """Apply an event; return the stages that it ended.

        A stage that TFX finds in its cache reports nothing. It ends as cached when a later stage
        starts or has a remark.
        """
        stage = self.stages.setdefault(event.stage, Stage(event.stage))
        if event.kind == "start":
            ended = self._skip_before(event.stage)
            stage.state, stage.started = "running", now
            return ended
        if event.kind in ("done", "failed"):
            stage.state = "done" if event.kind == "done" else "failed"
            stage.seconds, stage.memory = event.seconds, event.memory
            return [stage]
        stage.rows += event.rows
        if event.kind == "remark":
            stage.notes.update(event.values)
            return self._skip_before(event.stage)
        if event.kind == "metrics":
            stage.metrics.update(event.values)
        elif event.kind == "job":
            stage.job.update(event.values)
        elif event.kind == "count":
            stage.counts.update(event.values)
        elif event.kind == "note":
            stage.notes.update(event.values)
        return []

    def finish(self) -> list[Stage]:
        """Record that the whole DAG finished; return the stages that this ended."""
        return self._skip(list(self.stages.values()))

    def leave_out(self, name: str) -> None:
        """Record that a stage is not needed."""
        del self.stages[name]

    @property
    def running(self) -> Stage | None:
        """The stage that is running."""
        return next((s for s in self.stages.values() if s.state == "running"), None)

    @property
    def failed(self) -> Stage | None:
        """The stage that failed."""
        return next((s for s in self.stages.values() if s.state == "failed"), None)

    def _skip_before(self, name: str) -> list[Stage]:
        stages = list(self.stages.values())
        return self._skip(stages[: [s.name for s in stages].index(name)])

    def _skip(self, stages: Sequence[Stage]) -> list[Stage]:
        waiting = [s for s in stages if s.state == "waiting"]
        for stage in waiting:
            stage.state = "cached"
        return waiting
