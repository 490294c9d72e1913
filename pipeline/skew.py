"""`skewless skew`: compares clients' requests with the training data of a run's model.

Exits with 0 if nothing moved beyond its threshold, with 3 if something did, and with 1 or 2 if the
comparison is not possible.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from components import files, lean_imports
from components.compat import quiet_imports
from components.validate import log_files
from pipeline import answers, completion, lineage
from pipeline.folders import Folders
from pipeline.shortages import noticing_shortages
from pipeline.temporary import own_folder
from schemas.errors import ConfigError, DataError, SkewlessError

if TYPE_CHECKING:
    from components.validate.moved import Skew

NOTHING_MOVED, MOVED = 0, 3

_NEEDED = {"import_schema": "schema", "statistics": "statistics", "transform": "transform_graph"}


@dataclass(frozen=True)
class TrainingRun:
    """The artifacts of one run that requests are compared with.

    Attributes:
      run_id: the run's id.
      schema: its schema.pbtxt.
      statistics: its folder of statistics.
      transform_graph: its folder of the transform graph, which lists the model's columns.
    """

    run_id: str
    schema: str
    statistics: str
    transform_graph: str


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.pipelines)
@click.argument("logs", metavar="LOGS...", nargs=-1, required=True)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Difference that counts, for columns without a skew_comparator in schema.pbtxt, and for"
    " shares of missing values.",
)
@answers.option
def command(run: str, logs: tuple[str, ...], threshold: float, as_json: bool) -> int:
    """Show how far requests have moved from the training data of RUN.

    RUN is a pipeline's folder, such as runs/taxi; its newest run whose model was pushed is used.
    LOGS are folders or files of `skewless serve --request-log`, or PredictionLogs of TensorFlow
    Serving. All may be in a store.
    Categories are compared by the largest difference of a value's share (L-infinity), numbers by
    the Jensen-Shannon divergence of their distributions, both as TFDV computes them.

    The exit code is 0 if nothing moved beyond its threshold, and 3 if something did.
    """
    log_files.find(logs)  # reports a wrong path before anything heavy is imported
    # Google's libraries warn at every start that support for Python 3.10 ends.
    warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")
    reference = find(run)
    try:
        with noticing_shortages("skew failed"), own_folder():
            result, lines = _measured(reference, logs, threshold)
    except DataError as error:  # its exit code would mean that something moved
        raise SkewlessError(
            error.what, where=error.where, expected=error.expected, remedy=error.remedy
        ) from error
    if as_json:
        answers.show(result.model_dump(mode="json"))
    else:
        click.echo(f"run {reference.run_id} in {run}")
        for line in lines:
            click.echo(line)
    return MOVED if result.moved else NOTHING_MOVED


def _measured(
    reference: TrainingRun, logs: Sequence[str], threshold: float
) -> tuple[Skew, Sequence[str]]:
    """Return how far requests have moved, and the same as lines of text.

    Raises:
      SkewlessError: the logs or the reference cannot be read.
    """
    with quiet_imports():
        lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, without=lean_imports.KERAS)
        from components.validate import skew, skew_text
    from schemas.layout import FILE_NAME, Layout

    path = os.path.join(reference.transform_graph, FILE_NAME)
    layout = Layout.model_validate_json(files.read_bytes(path))
    columns = tuple(dict.fromkeys(name for f in layout.features for name in f.columns))
    result = skew.measure(
        logs,
        schema_path=reference.schema,
        statistics_dir=reference.statistics,
        columns=columns,
        threshold=threshold,
    )
    return result, list(skew_text.lines(result))


def find(run: str) -> TrainingRun:
    """Return the artifacts of the newest run whose model was pushed.

    A run that is not finished, or whose model was refused, is not the reference for requests to
    another model. If no model was pushed yet, the newest run with a transform graph is used.

    Raises:
      ConfigError: there is no such run.
    """
    folders = Folders.at(run)
    folders.fetch()
    if not folders.metadata.is_file():
        raise ConfigError(
            f"{run} is not a run",
            expected="a pipeline's folder, such as runs/taxi, with metadata.sqlite",
            remedy="run the pipeline first: skewless run taxi",
        )
    newest = None
    for run_id in reversed(files.names(os.path.join(folders.place, "runs"))):
        executions = lineage.read_run(folders.metadata, run_id)
        reference = _reference(run_id, executions)
        if reference is not None and _has_pushed(executions):
            return reference
        newest = newest or reference
    if newest is not None:
        return newest
    raise ConfigError(
        f"no run in {run} has statistics and a transform graph",
        where=folders.artifacts,
        remedy="run the pipeline first: skewless run taxi",
    )


def _reference(run_id: str, executions: Mapping[str, lineage.Execution]) -> TrainingRun | None:
    """Return the artifacts of a run; None if one is missing."""
    uris = {}
    for node, channel in _NEEDED.items():
        artifact = executions[node].outputs.get(channel) if node in executions else None
        if artifact is None or not files.exists(artifact.uri):
            return None
        uris[node] = artifact.uri
    return TrainingRun(
        run_id,
        schema=os.path.join(uris["import_schema"], "schema.pbtxt"),
        statistics=uris["statistics"],
        transform_graph=uris["transform"],
    )


def _has_pushed(executions: Mapping[str, lineage.Execution]) -> bool:
    pushed = executions["push"].outputs.get("pushed") if "push" in executions else None
    return pushed is not None and pushed.properties.get("pushed") == 1
