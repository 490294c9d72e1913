"""Finds the runs of pipelines and reads the summaries that they keep; imports nothing heavy.

A run without a summary is running, or was killed. A summary that cannot be read is damaged. Both
are returned as such, not left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from pydantic import ValidationError

from components import files
from pipeline import locks
from pipeline.folders import RUN_ID, Folders
from pipeline.summary import FILE_NAME, Summary
from schemas.errors import ConfigError, did_you_mean

RUNNING, KILLED, DAMAGED = "running", "killed", "damaged"


@dataclass(frozen=True)
class RecordedRun:
    """A run and what it kept.

    Attributes:
      pipeline: the name of its pipeline's folder.
      run_id: its id.
      folder: its own folder.
      status: of its summary, or `RUNNING`, `KILLED` or `DAMAGED`.
      summary: None without a readable one.
      problem: why the summary cannot be read.
    """

    pipeline: str
    run_id: str
    folder: str
    status: str
    summary: Summary | None = None
    problem: str | None = None

    @property
    def started(self) -> str:
        """When it started, in UTC, as in RFC 3339."""
        return _time_of(self.run_id).isoformat(timespec="seconds")

    @property
    def pipeline_folder(self) -> str:
        """The folder of its pipeline."""
        return os.path.dirname(os.path.dirname(self.folder))


def find(where: str | None, output: str) -> list[RecordedRun]:
    """Return the runs of a pipeline, or of all pipelines in a folder, newest first.

    Args:
      where: a pipeline's name in `output` or its folder, or a folder of pipelines; None is
        `output`.
      output: the folder of pipelines.

    Raises:
      ConfigError: there is no such folder, or it has no runs.
    """
    for place in [output] if where is None else [os.path.join(output, where), where]:
        runs = [run for folder in _pipelines(place) for run in _runs(folder)]
        if runs:
            return sorted(runs, key=lambda run: run.run_id, reverse=True)
    raise ConfigError(
        f"there are no runs of {where!r}; {did_you_mean(where, _names(output))}"
        if where is not None
        else "there are no runs",
        where=output,
        expected="a folder that `skewless run` has written, such as runs or runs/taxi",
        remedy="run a pipeline first, such as skewless run taxi, or give its --output",
    )


def before(folders: Folders, run_id: str) -> Iterator[RecordedRun]:
    """Yield the runs of a pipeline that started before another one, newest first."""
    for earlier in sorted(_ids(folders.place), reverse=True):
        if earlier < run_id:
            yield _read(folders, earlier)


def find_one(named: str, output: str) -> RecordedRun:
    """Return the run that a name stands for.

    Args:
      named: the run's folder, its id or the beginning of it, `PIPELINE/ID`, or a pipeline, which
        stands for its newest run.
      output: the folder of pipelines.

    Raises:
      ConfigError: there is no such run, or there are several.
    """
    path = named.rstrip("/")
    if is_run_id(os.path.basename(path)) and files.exists(path):
        return _read(Folders.at(os.path.dirname(os.path.dirname(path))), os.path.basename(path))
    head, _, tail = path.rpartition("/")
    if tail[:1].isdigit():
        known = find(head or None, output)
        found = [run for run in known if run.run_id.startswith(tail)]
        if len(found) == 1:
            return found[0]
        ids = [run.run_id for run in found or known]
        raise ConfigError(
            f"{len(found)} runs have an id that starts with {tail!r}",
            where=head or output,
            expected=f"one of {', '.join(ids[:5])}{' ...' if ids[5:] else ''}",
            remedy="list them: skewless runs",
        )
    return find(path, output)[0]


def is_run_id(name: str) -> bool:
    """Return whether a folder's name is the id of a run."""
    if not re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9]{6}", name):
        return False
    try:
        _time_of(name)
    except ValueError:
        return False
    return True


def _time_of(run_id: str) -> datetime:
    return datetime.strptime(run_id, RUN_ID).replace(tzinfo=timezone.utc)


def _names(root: str) -> list[str]:
    return [os.path.basename(folder) for folder in _pipelines(root)]


def _pipelines(place: str) -> Iterator[str]:
    """Yield `place` if it is a pipeline's folder, or else those in it."""
    if _ids(place):
        yield place
        return
    for name in files.names(place):
        if _ids(folder := os.path.join(place, name)):
            yield folder


def _ids(folder: str) -> list[str]:
    runs = os.path.join(folder, "runs")
    return [name for name in files.names(runs) if is_run_id(name)]


def _runs(folder: str) -> Iterator[RecordedRun]:
    folders = Folders.at(folder)
    for run_id in _ids(folder):
        yield _read(folders, run_id)


def _read(folders: Folders, run_id: str) -> RecordedRun:
    own = os.path.join(folders.place, "runs", run_id)
    name, path = os.path.basename(folders.place), os.path.join(own, FILE_NAME)
    if not files.is_file(path):
        at_work = locks.at_work(folders)
        status = RUNNING if at_work is not None and at_work.run == run_id else KILLED
        return RecordedRun(name, run_id, own, status)
    try:
        summary = Summary.model_validate_json(files.read_bytes(path))
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        problem = f"{path}: {at}: {first['msg']}" if at else f"{path}: {first['msg']}"
        return RecordedRun(name, run_id, own, DAMAGED, problem=problem)
    return RecordedRun(name, run_id, own, summary.status, summary)


def readable(runs: Sequence[RecordedRun]) -> list[tuple[RecordedRun, Summary]]:
    """Return each run with its summary.

    Raises:
      ConfigError: a run has none.
    """
    read = []
    for run in runs:
        if run.summary is None:
            raise ConfigError(
                f"the run {run.run_id} of {run.pipeline} is {run.status}",
                where=run.problem or run.folder,
                expected="a run with a summary",
                remedy="list the runs: skewless runs",
            )
        read.append((run, run.summary))
    return read
