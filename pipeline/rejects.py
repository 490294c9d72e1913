"""`skewless rejects`: shows the records that the newest run rejected, by reason.

Reads the run's summary and its files of rejects; imports pyarrow alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from components import files
from pipeline.folders import Folders
from pipeline.summary import FILE_NAME, Summary
from schemas.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa


@click.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Records of each reason to show.",
)
def command(run: str, samples: int) -> None:
    """Show the records that the newest run in RUN rejected, by reason.

    RUN is a pipeline's folder, such as runs/taxi, on a disk or in a store.
    """
    folder, counts = find(run)
    rejects = _read(folder)
    click.echo(f"{rejects.num_rows:,} of {counts['records_read']:,} records were rejected")
    for rule, count in counts.get("dropped_by_rule", {}).items():
        click.echo(f"{count:,} more were dropped by {rule}")
    for line in _lines(rejects, samples):
        click.echo(line)
    click.echo(f"\nall of them: {folder}")


def find(run: str) -> tuple[str, dict[str, Any]]:
    """Return the folder of the rejects of the newest run that has read its source, and its counts.

    Raises:
      ConfigError: there is no such run.
    """
    folders = Folders.at(run)
    place = os.path.join(folders.place, "runs")
    for run_id in reversed(files.names(place)):
        path = os.path.join(place, run_id, FILE_NAME)
        if not files.is_file(path):
            continue
        summary = Summary.model_validate_json(files.read_bytes(path))
        if summary.rejects is not None and summary.counts is not None:
            return summary.rejects, summary.counts
    raise ConfigError(
        f"no run in {run} has read its source",
        expected="a pipeline's folder, such as runs/taxi, with a run in it",
        remedy="run the pipeline first: skewless run taxi",
    )


def _read(folder: str) -> pa.Table:
    import pyarrow as pa

    from components.arrow_files import open_parquet
    from components.sources.rejects import SCHEMA

    paths = [os.path.join(folder, name) for name in files.names(folder)]
    return pa.concat_tables([SCHEMA.empty_table(), *(open_parquet(p).read() for p in paths)])


def _lines(rejects: pa.Table, samples: int) -> Iterator[str]:
    """Yield lines for each reason and column, the most frequent first."""
    groups: dict[tuple[str, str], list[int]] = {}
    reasons, columns = (rejects[name].to_pylist() for name in ("reason", "column"))
    for row, (reason, column) in enumerate(zip(reasons, columns, strict=True)):
        groups.setdefault((reason, column or ""), []).append(row)
    for (reason, column), rows in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"\n{len(rows):,} {reason}" + (f" in {column}" if column else "")
        yield from _samples(rejects, rows[:samples])


def _samples(rejects: pa.Table, rows: Sequence[int]) -> Iterator[str]:
    for row in rejects.take(list(rows)).to_pylist():
        value = "" if row["value"] is None else f" {row['value']!r}"
        yield f"  {row['source']}:{row['line']}{value}"
        yield f"    {row['record'].rstrip()[:200]}"
