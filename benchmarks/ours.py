"""Our own pipeline on given rows, run by the command: its cost and its output."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks import measure
from benchmarks.measure import Measured, StageTime, Usage
from benchmarks.rows import taxi_csv
from pipeline import lineage
from pipeline.folders import Folders
from pipeline.summary import FILE_NAME, Summary
from schemas.catalog import SCHEMA_FILE, SPEC_FILE, find_folder

_WHOLE = ("pushed", "unchanged", "refused")  # the DAG finished, whatever the verdict


@dataclass(frozen=True)
class Run:
    """One run of the command.

    Attributes:
      usage: the resources of the process.
      summary: the run's summary.
      folders: the run's folders.
    """

    usage: Usage
    summary: Summary
    folders: Folders

    def artifact(self, node: str, channel: str) -> str:
        """Return the folder of a node's output."""
        executions = lineage.read_run(self.folders.metadata, self.summary.run_id)
        return executions[node].outputs[channel].uri


def measured(rows: int, work: Path) -> tuple[Measured, Run]:
    """Run the pipeline on that many taxi trips, without results of earlier runs.

    Args:
      rows: the number of trips.
      work: an empty folder for the dataset and for the output.

    Raises:
      RuntimeError: the run failed; has the end of its output.
    """
    dataset = write_dataset(work / "dataset", {"source": {"path": str(taxi_csv(rows))}})
    return measured_run(rows, dataset, work / "output")


def measured_run(
    rows: int, dataset: Path, output: Path, *, name: str = "taxi"
) -> tuple[Measured, Run]:
    """Run the pipeline of that name on a dataset of so many rows.

    Raises:
      RuntimeError: see `measured`.
    """
    done = run(dataset, output, name=name)
    usage, summary = done.usage, done.summary
    stages = tuple(StageTime(name=s.name, seconds=s.seconds, rows=s.rows) for s in summary.stages)
    figures = Measured(
        system="ours",
        rows=rows,
        outcome=summary.status,
        seconds=usage.seconds,
        peak_process=usage.peak_process,
        peak_together=usage.peak_together,
        load=usage.load,
        date=measure.today(),
        stages=stages,
    )
    return figures, done


def write_dataset(
    folder: Path, changes: Mapping[str, Mapping[str, Any]], shipped: Path | None = None
) -> Path:
    """Write the shipped taxi dataset with some settings changed.

    Args:
      folder: the folder to create.
      changes: for a top-level key of pipeline.yaml, the values to set in it.
      shipped: the dataset; None means that of this code.
    """
    shipped = shipped or find_folder("taxi")
    settings = yaml.safe_load((shipped / SPEC_FILE).read_text(encoding="utf-8"))
    for key, values in changes.items():
        settings[key] = {**settings.get(key, {}), **values}
    folder.mkdir(parents=True)
    (folder / SPEC_FILE).write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    (folder / SCHEMA_FILE).write_bytes((shipped / SCHEMA_FILE).read_bytes())
    return folder


def run(dataset: Path, output: Path, *, name: str = "taxi") -> Run:
    """Run `skewless run DATASET --output OUTPUT` in a fresh process.

    Raises:
      RuntimeError: see `measured`.
    """
    log = dataset / "log"
    command = [sys.executable, "-m", "pipeline.cli", "run", str(dataset), "--output", str(output)]
    usage = measure.run(command, log=log)
    folders = Folders.of(output, name)
    summaries = sorted(folders.runs.glob(f"*/{FILE_NAME}"))  # run ids sort by time
    if not summaries:
        raise RuntimeError(f"no run came of it:\n{measure.last_lines(log)}")
    summary = Summary.model_validate_json(summaries[-1].read_text(encoding="utf-8"))
    if summary.status not in _WHOLE:
        raise RuntimeError(f"the run {summary.status}:\n{measure.last_lines(log)}")
    return Run(usage, summary, folders)
