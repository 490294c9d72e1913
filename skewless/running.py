"""`skewless.run`: what the command `skewless run` does, from Python."""

from __future__ import annotations

import os

from pipeline import run as runs
from pipeline import runners
from pipeline.summary import Summary
from schemas import catalog
from schemas.runners import RunnerName


def run(
    dataset: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] = "runs",
    allow_anomalies: bool = False,
    runner: RunnerName | None = None,
    spans: str | None = None,
) -> Summary:
    """Run a dataset from raw rows to a proven, pushed model, and show on the screen how it goes.

    Results of an earlier run are used again if nothing they depend on has changed since.

    Args:
      dataset: the name of a shipped dataset, such as "taxi", or a folder with pipeline.yaml and
        schema.pbtxt.
      output: where to keep runs, artifacts and pushed models; a folder for each pipeline.
      allow_anomalies: continue although the data has anomalies.
      runner: where the stages run that read and write rows; None means as in pipeline.yaml.
      spans: the spans to read of a source that has spans, such as "last 7"; None means as in
        pipeline.yaml.

    Returns:
      The results of the run: `model`, the folder of the version that is served, `version`, its
      number, and figures of every stage.

    Raises:
      ConfigError: there is no such dataset, or its files are wrong.
      DataError: the data cannot be read, or a gate refused them.
      ModelError: the model is not blessed, or serving would not give what training computed.
      SkewlessError: the run failed.
    """
    read = catalog.load(os.fspath(dataset))
    on = runners.choose(read.spec.runner, runner)
    return runs.run(
        read, output=os.fspath(output), allow_anomalies=allow_anomalies, on=on, chosen=spans
    )
