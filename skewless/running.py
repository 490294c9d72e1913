"""`skewless.run` and `skewless.init`: what the commands of these names do, from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pipeline import init as drafts
from pipeline import recorded_runs, runners
from pipeline import run as runs
from pipeline.folders import Folders
from pipeline.stage_choice import StageChoice
from schemas import catalog
from schemas.catalog import Dataset
from schemas.runners import RunnerName
from skewless.recorded import Run


def run(
    dataset: str | os.PathLike[str] | Dataset,
    *,
    output: str | os.PathLike[str] = "runs",
    allow_anomalies: bool = False,
    runner: RunnerName | None = None,
    spans: str | None = None,
    from_stage: str | None = None,
    until: str | None = None,
) -> Run:
    """Run a dataset from raw rows to a proven, pushed model, and show on the screen how it goes.

    Results of an earlier run are used again if nothing they depend on has changed since.

    >>> done = run("taxi")  # doctest: +SKIP
    >>> done.status, done.version, done.metrics["log_loss"]  # doctest: +SKIP
    ('pushed', 1, 0.1983)

    Args:
      dataset: the name of a shipped dataset, such as "taxi", a folder with pipeline.yaml and
        schema.pbtxt, or a `Dataset` that was read from one.
      output: where to keep runs, artifacts and pushed models; a folder for each pipeline.
      allow_anomalies: continue although the data has anomalies.
      runner: where the stages run that read and write rows; None means as in pipeline.yaml.
      spans: the spans to read of a source that has spans, such as "last 7"; None means as in
        pipeline.yaml.
      from_stage: execute this stage and all after it again, although nothing has changed.
      until: end after this stage.

    Returns:
      The run, with its figures; `skewless.load` takes it for the model.

    Raises:
      ConfigError: there is no such dataset, or its files are wrong.
      DataError: the data cannot be read, or a gate refused them.
      ModelError: the model is not blessed, or serving would not give what training computed.
      SkewlessError: the run failed.
    """
    read = dataset if isinstance(dataset, Dataset) else catalog.load(os.fspath(dataset))
    summary = runs.run(
        read,
        output=os.fspath(output),
        allow_anomalies=allow_anomalies,
        on=runners.choose(read.spec.runner, runner),
        chosen=spans,
        stages=StageChoice(from_stage, until),
    )
    folders = Folders.of(os.fspath(output), read.spec.name)
    own = os.path.join(folders.place, "runs", summary.run_id)
    return Run(recorded_runs.find_one(own, os.fspath(output)))


def init(
    table: str | os.PathLike[str],
    *,
    label: str,
    output: str | os.PathLike[str] | None = None,
    task: Literal["binary", "multiclass", "regression"] | None = None,
    eval_table: str | None = None,
    test_table: str | None = None,
    query: str | None = None,
    name: str | None = None,
    force: bool = False,
) -> Path:
    """Describe a table in two files that `skewless.run` can use, and print what was decided.

    >>> folder = init("trips.csv", label="tipped")  # doctest: +SKIP
    >>> run(folder)  # doctest: +SKIP

    Args:
      table: a file, a pattern of files, or a table of a database, as for `skewless init`.
      label: the column to predict.
      output: the folder to write the two files into; None means one named after the table.
      task: what is predicted, where the label's values leave it open.
      eval_table: a file of the rows that training watches.
      test_table: a file of the rows that measure how good the model is.
      query: a query whose result is the table, if `table` is a database's URL.
      name: the name of the pipeline; None means the folder's.
      force: overwrite the two files if they exist.

    Returns:
      The folder of schema.pbtxt and pipeline.yaml.

    Raises:
      ConfigError: the files exist, or the table or its label cannot be used.
      DataError: the table cannot be read.
    """
    return drafts.write(
        os.fspath(table),
        label,
        output=None if output is None else Path(output),
        task=task,
        eval_table=eval_table,
        test_table=test_table,
        query=query,
        name=name,
        force=force,
    )
