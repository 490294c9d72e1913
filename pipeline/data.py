"""`skewless data`: writes a page about the data of a run, one HTML file.

Reads artifacts; imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components import files
from pipeline import answers, completion
from pipeline.folders import Folders
from pipeline.summary import FILE_NAME, Summary
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.report.data import Sources


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.pipelines)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default=None,
    metavar="FILE",
    help="The file to write; data.html in the current folder unless given.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@answers.option
def command(run: str, output: str | None, show: bool, as_json: bool) -> None:
    """Write a page about the data of the newest run in RUN.

    RUN is a pipeline's folder, such as runs/taxi, on a disk or in a store. The page is one file
    that needs no other, and opens no connection.
    """
    from pipeline.report import page

    summary, sources = find(run)
    path = Path(output or page.FILE_NAME).resolve()
    page.write(str(path), sources, pipeline=summary.pipeline, run_id=summary.run_id)
    if as_json:
        answers.show({"run_id": summary.run_id, "page": str(path)})
    else:
        click.echo(f"data of run {summary.run_id}: {path}")
    if show and click.launch(path.as_uri()):
        click.echo("no browser could be started: open the file in one")


def find(run: str) -> tuple[Summary, Sources]:
    """Return the newest run that has statistics of its data, and where its artifacts are.

    Raises:
      ConfigError: there is no such run.
    """
    from pipeline import lineage
    from pipeline.report.data import Sources

    folders = Folders.at(run)
    place = os.path.join(folders.place, "runs")
    with record_of(folders) as metadata:
        for run_id in reversed(files.names(place)):
            path = os.path.join(place, run_id, FILE_NAME)
            if not metadata.exists() or not files.is_file(path):
                continue
            sources = Sources.of(lineage.read_run(metadata, run_id))
            if sources is not None:
                return Summary.model_validate_json(files.read_bytes(path)), sources
    raise ConfigError(
        f"no run in {run} has statistics of its data",
        expected="a pipeline's folder, such as runs/taxi, with a run in it",
        remedy="run the pipeline first: skewless run taxi",
    )


@contextlib.contextmanager
def record_of(folders: Folders) -> Iterator[Path]:
    """Give the path of the record; of a store's, that of a copy."""
    if folders.store is None:
        yield folders.metadata
        return
    with tempfile.TemporaryDirectory(prefix="skewless-") as folder:
        copy = Path(folder, folders.metadata.name)
        stored = os.path.join(folders.store, folders.metadata.name)
        if files.is_file(stored):
            copy.write_bytes(files.read_bytes(stored))
        yield copy
