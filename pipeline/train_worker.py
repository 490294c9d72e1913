"""`skewless train-worker`: trains on this machine what a run on another one trains."""

from __future__ import annotations

import logging
import os

import click

from components import progress
from components.compat import quiet_environment
from schemas.secrets import RedactingFormatter


@click.command("train-worker")
@click.argument("folder", metavar="FOLDER")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="How long to wait for the run to come to the training.",
)
def command(folder: str, minutes: float) -> None:
    """Train together with a run on another machine, which keeps its results in FOLDER.

    FOLDER, such as runs/taxi, is on a disk of both machines or in a store. TF_CONFIG names all
    machines, as TensorFlow reads it; `skewless run` is started on the first of them with the same
    TF_CONFIG but the number of its task.
    """
    quiet_environment()
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    progress.LOGGER.setLevel(logging.WARNING)
    from components.train.launch import job_file, join
    from pipeline.folders import Folders

    artifacts = Folders.at(folder).artifacts
    click.echo("waiting for the run to train ...")
    join(job_file(os.path.join(artifacts, "train")), os.environ, seconds=60 * minutes)
    click.echo("the model is trained")
