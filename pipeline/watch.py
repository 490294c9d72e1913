"""`skewless run --watch`: runs again when a file of the dataset changes, and compares the runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from pipeline import compare, comparison, recorded_runs
from pipeline.comparison import Side
from pipeline.endings import InterruptedRunError
from pipeline.summary import Summary
from schemas.catalog import SCHEMA_FILE, SPEC_FILE
from schemas.errors import SkewlessError
from schemas.own_code import FILE as CODE_FILE

_LOOK_SECONDS = 0.3


def watch(
    folder: Path,
    run: Callable[[], Summary],
    output: str,
) -> None:
    """Run, and again after each change of pipeline.yaml, schema.pbtxt or features.py.

    A run that fails is reported, and the next change starts another one. What a run changed is
    compared with the last run that was evaluated.

    Args:
      folder: the dataset's folder.
      run: runs the dataset as its files are now.
      output: the folder of pipelines.

    Raises:
      InterruptedRunError: a run was interrupted.
    """
    last: Side | None = None
    while True:
        seen = _content(folder)
        try:
            summary = run()
            own = os.path.join(output, summary.pipeline, "runs", summary.run_id)
            side = Side.of(recorded_runs.find_one(own, output), summary)
            if last is not None:
                for line in compare.lines(comparison.compare(last, side)):
                    click.echo(line)
            last = side
        except InterruptedRunError:
            raise
        except SkewlessError as error:
            click.echo(f"error: {error}", err=True)
        click.echo(f"watching {folder}: a change of its files runs it again; Ctrl-C ends")
        try:
            _wait_for_change(folder, seen)
        except KeyboardInterrupt:
            return


def _wait_for_change(folder: Path, seen: tuple[bytes | None, ...]) -> None:
    while _content(folder) == seen:
        time.sleep(_LOOK_SECONDS)


def _content(folder: Path) -> tuple[bytes | None, ...]:
    """Return the content of the dataset's files; None for one that is not there."""
    paths = [folder / name for name in (SPEC_FILE, SCHEMA_FILE, CODE_FILE)]
    return tuple(path.read_bytes() if path.is_file() else None for path in paths)
