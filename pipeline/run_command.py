"""`skewless run`: the command line, pipeline.yaml and schema.pbtxt are read before all else.

What is wrong with them is reported before the modules that run a DAG are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline import beam_command
from pipeline.beam_command import BeamCommand

if TYPE_CHECKING:
    from schemas.runners import RunnerName


@click.command(cls=BeamCommand)
@click.argument("dataset", metavar="DATASET")
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="Where to keep runs, artifacts and pushed models; a folder for each pipeline.",
)
@click.option(
    "--allow-anomalies",
    is_flag=True,
    help="Go on although the data has anomalies; recorded as your choice.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a failure, too.")
@beam_command.options
@click.pass_context
def command(
    ctx: click.Context,
    dataset: str,
    output: str,
    allow_anomalies: bool,
    verbose: bool,
    runner: RunnerName | None,
    settings: tuple[str, ...],
) -> None:
    """Run DATASET from raw rows to a proven, pushed model.

    DATASET is the name of a shipped dataset, such as taxi, or a folder with pipeline.yaml and
    schema.pbtxt. What an earlier run did, and nothing has changed since, is used again. What
    follows `--` goes to Beam.
    """
    from pipeline import runners
    from schemas import catalog

    read = catalog.load(dataset)
    on = runners.choose(read.spec.runner, runner, settings, ctx.meta["beam"])
    from pipeline.run import run

    run(read, output=output, allow_anomalies=allow_anomalies, verbose=verbose, on=on)
