"""`Run`, `skewless.runs` and `skewless.compare`: what runs keep, from Python.

Reads files; imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import html
import os
from typing import Any

import pyarrow as pa

from components import examples
from pipeline import comparison, lineage, recorded_runs
from pipeline.comparison import RunComparison
from pipeline.data import record_of
from pipeline.folders import Folders
from pipeline.recorded_runs import RecordedRun
from pipeline.report import run_page
from pipeline.runs import facts, metrics
from pipeline.summary import Summary
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.tasks.options import figure_text


class Run:
    """A run of a pipeline, finished or not, as its folder has it.

    Attributes:
      pipeline: the name of its pipeline.
      id: its id, which is the time of its start in UTC.
      folder: its own folder.
      status: "pushed", "unchanged", "refused", "failed", "interrupted" or "partial", as in
        `Summary`; "running", "killed" or "damaged" without a readable summary.
    """

    def __init__(self, recorded: RecordedRun) -> None:
        self._recorded = recorded
        self.pipeline = recorded.pipeline
        self.id = recorded.run_id
        self.folder = recorded.folder
        self.status = recorded.status

    @property
    def summary(self) -> Summary:
        """The content of summary.json.

        Raises:
          ConfigError: there is none, or it is damaged.
        """
        ((_, summary),) = recorded_runs.readable([self._recorded])
        return summary

    @property
    def pipeline_folder(self) -> str:
        """The folder of its pipeline, such as "runs/taxi"."""
        return self._recorded.pipeline_folder

    @property
    def metrics(self) -> dict[str, float | None]:
        """The figures of its model on the test split, the objective first; empty without a model.

        >>> runs("taxi")[0].metrics["log_loss"]  # doctest: +SKIP
        0.1983
        """
        return metrics(self._recorded)

    @property
    def version(self) -> int | None:
        """The version that it pushed, or that is the same model; None without one."""
        return None if self._recorded.summary is None else self._recorded.summary.version

    @property
    def saved_model(self) -> str | None:
        """The folder of that version, for `skewless.load`; None without one."""
        return None if self._recorded.summary is None else self._recorded.summary.model

    def report(self) -> str:
        """Return the path of its report, one HTML file; it is written if the run has none.

        >>> runs("taxi")[0].report()  # doctest: +SKIP
        'runs/taxi/runs/20261130-120501-000000/report.html'

        Raises:
          ConfigError: the run has no summary, or it is damaged.
        """
        return str(run_page.find(self._recorded, self.summary))

    def examples(self, split: str = "train") -> pa.Table:
        """Read the rows of a split, as training saw them before the transform.

        >>> runs("taxi")[0].examples("test").to_pandas().describe()  # doctest: +SKIP

        Args:
          split: "train", "eval" or "test".

        Returns:
          The raw columns of schema.pbtxt; null where missing.

        Raises:
          DataError: the run made no examples, they were removed, or there is no such split.
        """
        if split not in SPLITS:
            raise DataError(
                f"there is no split {split!r}", where=self.folder, expected=", ".join(SPLITS)
            )
        with record_of(Folders.at(self.pipeline_folder)) as metadata:
            known = lineage.read_run(metadata, self.id) if metadata.exists() else {}
        made = known.get("ingest")
        if made is None or made.state not in ("COMPLETE", "CACHED"):
            raise DataError(
                f"the run {self.id} has no examples: it is {self.status}",
                where=self.folder,
                expected="a run that finished ingest",
            )
        root = made.outputs["examples"].uri
        return pa.Table.from_batches(list(examples.iter_batches(root, split)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {figure_text(value)}" for name, value in _first(self.metrics))
        pushed = "" if self.version is None else f" version {self.version}"
        return f"<skewless.Run {self.pipeline} {self.id}: {self.status}{pushed}; {shown}>"

    def _repr_html_(self) -> str:
        """Return the run's figures as a table, for notebooks."""
        known = facts(self._recorded)
        rows: list[tuple[str, Any]] = [
            ("status", self.status),
            ("version", self.version),
            ("rows", None if known["rows"] is None else f"{known['rows']:,}"),
            *((name, figure_text(value)) for name, value in self.metrics.items()),
            ("seconds", known["seconds"]),
            ("folder", self.folder),
        ]
        error = self._recorded.summary.error if self._recorded.summary is not None else None
        if error is not None:
            rows.insert(1, ("error", error.what))
        cells = "".join(
            f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>"
            for name, value in rows
            if value is not None
        )
        title = html.escape(f"{self.pipeline}: run {self.id}")
        return f"<table><caption>{title}</caption><tbody>{cells}</tbody></table>"


def runs(
    pipeline: str | os.PathLike[str] | None = None, *, output: str | os.PathLike[str] = "runs"
) -> list[Run]:
    """Return the runs of a pipeline, or of all pipelines, newest first.

    >>> runs("taxi")[0]  # doctest: +SKIP
    <skewless.Run taxi 20261130-120501-000000: pushed version 3; log_loss 0.1983, auc 0.9551>

    Args:
      pipeline: a pipeline's name in `output`, or its folder; None means all pipelines there.
      output: the folder of pipelines.

    Raises:
      ConfigError: there is no such folder, or it has no runs.
    """
    where = None if pipeline is None else os.fspath(pipeline)
    return [Run(recorded) for recorded in recorded_runs.find(where, os.fspath(output))]


def compare(
    before: Run | str | os.PathLike[str],
    after: Run | str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] = "runs",
) -> RunComparison:
    """Return how a run differs from an earlier one: configuration, metrics, slices and columns.

    >>> newest, earlier, *_ = runs("taxi")  # doctest: +SKIP
    >>> print(compare(earlier, newest))  # doctest: +SKIP

    Args:
      before: a run, its folder, its id or the beginning of it, or a pipeline's name in `output`,
        which stands for its newest run.
      after: the run to compare with it.
      output: the folder of pipelines.

    Returns:
      The differences as attributes; its text is that of the command `skewless compare`.

    Raises:
      ConfigError: there is no such run, or it has no summary.
    """
    found = [
        each._recorded  # this module's own class
        if isinstance(each, Run)
        else recorded_runs.find_one(os.fspath(each), os.fspath(output))
        for each in (before, after)
    ]
    old, new = (comparison.Side.of(*each) for each in recorded_runs.readable(found))
    return comparison.compare(old, new)


def _first(figures: dict[str, float | None]) -> list[tuple[str, float | None]]:
    return list(figures.items())[:3]
