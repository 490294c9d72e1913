"""`skewless report`: shows the report of a run, one HTML file; writes it if the run has none.

Reads artifacts; imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components import files
from pipeline import completion

if TYPE_CHECKING:
    from pipeline.recorded_runs import RecordedRun
    from pipeline.summary import Summary


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.runs)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of pipelines, as `skewless run` has it.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
def command(run: str, output: str, show: bool) -> None:
    """Show where the report of RUN is; write it if the run has none.

    RUN is a run's folder, its id or the beginning of it, or a pipeline in ROOT, which stands for
    its newest run. The report is one file that needs no other, and opens no connection.
    """
    from pipeline import recorded_runs

    ((found, summary),) = recorded_runs.readable([recorded_runs.find_one(run, output)])
    path = _path(found, summary)
    click.echo(f"report of run {summary.run_id}: {path}")
    if show and click.launch(path.as_uri()):
        click.echo("no browser could be started: open the file in one")


def _path(run: RecordedRun, summary: Summary) -> Path:
    """Return the report on this machine, which is written or fetched if it is not there."""
    from pipeline.folders import Folders
    from pipeline.report import run_page
    from pipeline.report.record import Record

    own = Folders.at(run.pipeline_folder).runs / run.run_id
    path, kept = own / run_page.FILE_NAME, os.path.join(run.folder, run_page.FILE_NAME)
    if path.is_file():
        return path
    own.mkdir(parents=True, exist_ok=True)
    if files.is_file(kept):
        path.write_bytes(files.read_bytes(kept))
    else:
        run_page.write(str(path), Record.of(run, summary))
    return path
