"""`python -m benchmarks`: ours and stock TFX on the same rows, how good the model is, and serving.

Prints tables as figures come in; a whole run, one without --only, writes them to results.md too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import feed, ours, quality, report, serving, stock
from benchmarks.machine import Machine
from benchmarks.measure import Measured, today
from benchmarks.places import CACHE, RESULTS, ROOT
from benchmarks.rows import taxi_csv

_SERVED_ROWS = 15_000
# What either pipeline loads.
_LIBRARIES = "import keras, tensorflow_model_analysis, tfx.components, pipeline.orchestrators"


@click.command()
@click.option(
    "--rows",
    multiple=True,
    type=click.IntRange(min=1),
    default=(15_000, 1_000_000),
    show_default=True,
    help="How many trips to run on; may be given several times.",
)
@click.option("--fresh-stock", is_flag=True, help="Measure stock TFX although it is known.")
@click.option(
    "--only",
    type=click.Choice(["ours", "stock", "quality", "serving"]),
    help="Measure this alone, and leave results.md as it is.",
)
def main(rows: tuple[int, ...], fresh_stock: bool, only: str | None) -> None:
    """Measure speed and memory beside stock TFX, the model's quality, and serving."""
    CACHE.mkdir(parents=True, exist_ok=True)
    tell = _Teller()
    machine = Machine.here()
    tell.lines(["# Benchmarks", "", f"- Date: {today()}", *machine.lines()])
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as work:
        if only in (None, "ours", "stock"):
            _speed(sorted(set(rows)), Path(work), tell, only=only, fresh_stock=fresh_stock)
        if only in (None, "quality"):
            tell.lines(report.quality(quality.measured(Path(work, "quality"), say=tell.aside)))
        if only in (None, "serving"):
            tell.lines(serving.table(_served(Path(work), tell)))
    if only is None:
        RESULTS.write_text(tell.text, encoding="utf-8")
        tell.aside(f"written to {RESULTS.relative_to(ROOT)}")


class _Teller:
    """Prints, and keeps what belongs in results.md."""

    def __init__(self) -> None:
        self.text = ""

    def lines(self, lines: list[str]) -> None:
        """Print lines that belong in results.md, and a blank one."""
        text = "\n".join([*lines, ""])
        click.echo(f"\n{text}")
        self.text += f"\n{text}" if self.text else text

    def aside(self, line: str) -> None:
        """Print a line that does not."""
        click.echo(line)


def _speed(
    rows: list[int], work: Path, tell: _Teller, *, only: str | None, fresh_stock: bool
) -> None:
    tell.aside("loading everything once, so that no measurement pays for a cold disk …")
    subprocess.run([sys.executable, "-c", _LIBRARIES], cwd=ROOT, capture_output=True, check=True)
    tell.lines(report.notes())
    runs = []
    for count in rows:
        mine = its = None
        taxi_csv(count)
        if only != "stock":
            mine, run = ours.measured(count, work / f"ours-{count}")
            tell.aside(_line(mine))
            runs.append((mine, run))
        if only != "ours":
            its, known = stock.measured(count, fresh=fresh_stock)
            tell.aside(_line(its) + (f", known from {its.date}" if known else ""))
        tell.lines(report.speed(mine, its))
    if runs:
        _ours_alone(*runs[-1], work, tell)


def _served(work: Path, tell: _Teller) -> list[serving.Rate]:
    """Train on the smallest number of rows, and ask what came of it."""
    taxi_csv(_SERVED_ROWS)
    _, run = ours.measured(_SERVED_ROWS, work / "served")
    exported = Path(run.artifact("export", "exported"), "Format-Serving")
    return serving.measured(str(exported), say=tell.aside)


def _ours_alone(largest: Measured, run: ours.Run, work: Path, tell: _Teller) -> None:
    """What is asked of ours only: the cost of more rows, and the training feed."""
    if largest.rows >= report.MILLION:
        twice, _ = ours.measured(2 * largest.rows, work / "ours-twice")
        tell.aside(_line(twice))
        tell.lines(report.marginal(largest, twice))
    examples = run.artifact("transform", "transformed_examples")
    graph = run.artifact("transform", "transform_graph")
    tell.lines(report.feed(feed.measured(examples, graph, work)))


def _line(run: Measured) -> str:
    return (
        f"{run.system}, {run.rows:,} rows: {run.seconds:.1f} s, {run.peak_process / 1e9:.2f} GB, "
        f"{run.outcome}, load before {run.load:.1f}"
    )


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
