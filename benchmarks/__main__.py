"""`python -m benchmarks`: ours and stock TFX on the same rows, the model's quality, and serving.

Prints tables as soon as it has figures; a complete run, without --only, also writes results.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import feed, fixed, formats, ours, quality, report, serving, stock, wide
from benchmarks.machine import Machine
from benchmarks.measure import Measured, today
from benchmarks.places import CACHE, RESULTS, ROOT
from benchmarks.rows import taxi_csv

_SERVED_ROWS = 15_000
# What both pipelines import.
_LIBRARIES = "import keras, tensorflow_model_analysis, tfx.components, pipeline.orchestrators"


@click.command()
@click.option(
    "--rows",
    multiple=True,
    type=click.IntRange(min=1),
    default=(15_000, 1_000_000),
    show_default=True,
    help="Number of trips; may be given several times.",
)
@click.option("--fresh-stock", is_flag=True, help="Measure stock TFX despite cached figures.")
@click.option(
    "--only",
    type=click.Choice(["ours", "stock", "formats", "wide", "fixed", "quality", "serving"]),
    help="Measure only this, and leave results.md unchanged.",
)
@click.option(
    "--before",
    default="HEAD^",
    show_default=True,
    metavar="COMMIT",
    help="What to compare fixed costs with.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How often to measure fixed costs.",
)
def main(
    rows: tuple[int, ...], fresh_stock: bool, only: str | None, before: str, rounds: int
) -> None:
    """Measure speed and memory compared with stock TFX, the model's quality, and serving."""
    CACHE.mkdir(parents=True, exist_ok=True)
    output = _Output()
    machine = Machine.here()
    output.lines(["# Benchmarks", "", f"- Date: {today()}", *machine.lines()])
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as work:
        if only in (None, "ours", "stock"):
            _speed(sorted(set(rows)), Path(work), output, only=only, fresh_stock=fresh_stock)
        if only in (None, "formats"):
            by_format = formats.measured(max(rows), Path(work, "formats"), say=output.aside)
            output.lines(formats.lines(by_format))
        if only in (None, "wide"):
            run, rate = wide.measured(Path(work, "wide"), say=output.aside)
            output.lines(report.wide(run, wide.COLUMNS, rate))
        if only in (None, "fixed"):
            costs = fixed.measured(before, rounds, Path(work), say=output.aside)
            output.lines(fixed.lines(*costs))
        if only in (None, "quality"):
            output.lines(report.quality(quality.measured(Path(work, "quality"), say=output.aside)))
        if only in (None, "serving"):
            output.lines(serving.table(_served(Path(work), output)))
    if only is None:
        RESULTS.write_text(output.text, encoding="utf-8")
        output.aside(f"written to {RESULTS.relative_to(ROOT)}")


class _Output:
    """Prints lines, and keeps those for results.md."""

    def __init__(self) -> None:
        self.text = ""

    def lines(self, lines: list[str]) -> None:
        """Print lines for results.md, and a blank one."""
        text = "\n".join([*lines, ""])
        click.echo(f"\n{text}")
        self.text += f"\n{text}" if self.text else text

    def aside(self, line: str) -> None:
        """Print a line that is not for results.md."""
        click.echo(line)


def _speed(
    rows: list[int], work: Path, output: _Output, *, only: str | None, fresh_stock: bool
) -> None:
    output.aside("importing everything once, so that no measurement includes a cold disk …")
    subprocess.run([sys.executable, "-c", _LIBRARIES], cwd=ROOT, capture_output=True, check=True)
    output.lines(report.notes())
    runs = []
    for count in rows:
        mine = its = None
        taxi_csv(count)
        if only != "stock":
            mine, run = ours.measured(count, work / f"ours-{count}")
            output.aside(_line(mine))
            runs.append((mine, run))
        if only != "ours":
            its, known = stock.measured(count, fresh=fresh_stock)
            output.aside(_line(its) + (f", cached from {its.date}" if known else ""))
        output.lines(report.speed(mine, its))
    if runs:
        _ours_alone(*runs[-1], work, output)


def _served(work: Path, output: _Output) -> list[serving.Rate]:
    """Train on the smallest number of rows, and measure serving of the result."""
    taxi_csv(_SERVED_ROWS)
    _, run = ours.measured(_SERVED_ROWS, work / "served")
    exported = Path(run.artifact("export", "exported"), "Format-Serving")
    return serving.measured(str(exported), say=output.aside)


def _ours_alone(largest: Measured, run: ours.Run, work: Path, output: _Output) -> None:
    """Measure what only ours has: the cost of more rows, and the training feed."""
    if largest.rows >= report.MILLION:
        twice, _ = ours.measured(2 * largest.rows, work / "ours-twice")
        output.aside(_line(twice))
        output.lines(report.marginal(largest, twice))
    examples = run.artifact("transform", "transformed_examples")
    graph = run.artifact("transform", "transform_graph")
    output.lines(report.feed(feed.measured(examples, graph, work)))


def _line(run: Measured) -> str:
    return (
        f"{run.system}, {run.rows:,} rows: {run.seconds:.1f} s, {run.peak_process / 1e9:.2f} GB, "
        f"{run.outcome}, load before {run.load:.1f}"
    )


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
