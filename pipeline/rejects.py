"""`skewless rejects`: shows the records that the newest run rejected, or writes them into a file.

Reads the run's summary and its files of rejects, and to write them the record of the run for the
options of its source.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from components import files
from pipeline import answers, completion
from pipeline.dropped import FOLDER, line_of, samples_of
from pipeline.folders import Folders
from pipeline.summary import FILE_NAME, Summary
from schemas.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.pipelines)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Records of each reason to show.",
)
@click.option("--reason", "reasons", multiple=True, help="Only records with this reason.")
@click.option("--column", "columns", multiple=True, help="Only records with this wrong column.")
@click.option("--source", "sources", multiple=True, help="Only records of this file.")
@click.option("-o", "--output", help="File to write the records into, in the source's format.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@answers.option
def command(
    run: str,
    samples: int,
    reasons: tuple[str, ...],
    columns: tuple[str, ...],
    sources: tuple[str, ...],
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show the records that the newest run in RUN rejected, by reason.

    RUN is a pipeline's folder, such as runs/taxi, on a disk or in a store. With -o, the records are
    written into a file as they were in the source, to be mended and read again: CSV below its
    header, JSON lines as they were, rows of Parquet, Arrow and ORC with all their columns, and
    others as JSON lines. Rows that a rule dropped are counted, and shown if `prepare.keep_dropped`
    keeps them.
    """
    if as_json and output is not None:
        raise click.UsageError("--json shows the records that -o writes: leave one out")
    from components.ingest.rejects import with_values

    folder, counts = find(run)
    kept = rejects = read_rejects(folder)
    for name, wanted in (("reason", reasons), ("column", columns), ("source", sources)):
        if wanted:
            _check_known(kept[name], name, wanted)
            rejects = with_values(rejects, name, wanted)
    if as_json:
        answers.show(_content(rejects, samples, counts) | {"folder": folder})
        return
    click.echo(f"{kept.num_rows:,} of {counts['records_read']:,} records were rejected")
    rules = counts.get("dropped_by_rule", {})
    dropped = samples_of(os.path.join(os.path.dirname(folder), FOLDER), rules, samples)
    for rule, count in rules.items():
        click.echo(f"{count:,} more were dropped by {rule}")
        for row in dropped[rule]:
            click.echo(line_of(row))
    if output is not None:
        _write(rejects, run, output, force=force)
        return
    for line in _lines(rejects, samples):
        click.echo(line)
    click.echo(f"\nall of them: {folder}")


def _check_known(values: pa.ChunkedArray, name: str, wanted: Sequence[str]) -> None:
    known = set(values.drop_null().to_pylist())
    for value in wanted:
        if value not in known:
            raise ConfigError(
                f"no rejected record has the {name} {value!r}; {did_you_mean(value, known)}",
                where=f"--{name}",
            )


def _write(rejects: pa.Table, run: str, output: str, *, force: bool) -> None:
    from pipeline import lineage, rejects_file
    from schemas import sources

    ingested = lineage.latest_parameters(Folders.at(run).metadata, "ingest")
    if ingested is None:
        raise ConfigError(
            f"the record of {run} does not say how its source was read",
            where=str(Folders.at(run).metadata),
            remedy="run the pipeline again",
        )
    source = sources.loads(str(ingested["source"]))
    written, in_words = rejects_file.write(rejects, source, output, force=force)
    if left := rejects.num_rows - written:
        click.echo(f"{left:,} of them are not tf.Examples, and not text: they are not written")
    click.echo(f"wrote {written:,} into {output}, {in_words}")


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


def read_rejects(folder: str) -> pa.Table:
    """Return the rejected records in a folder; none if there is no such folder."""
    from components.arrow_files import read_parquet
    from components.compat import joined_tables
    from components.ingest.rejects import KEPT

    paths = [os.path.join(folder, name) for name in files.names(folder)]
    # an earlier version's files have no column `raw`
    return joined_tables([KEPT.empty_table(), *map(read_parquet, paths)])


def _content(rejects: pa.Table, samples: int, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the records by reason, as JSON has them."""
    shown = rejects.select(["source", "line", "value", "record"])
    reasons = [
        {
            "reason": reason,
            "column": column or None,
            "count": len(rows),
            "samples": shown.take(rows[:samples]).to_pylist(),
        }
        for (reason, column), rows in by_reason(rejects)
    ]
    return {
        "records_read": counts["records_read"],
        "rejected": rejects.num_rows,
        "dropped_by_rule": counts.get("dropped_by_rule", {}),
        "reasons": reasons,
    }


def _lines(rejects: pa.Table, samples: int) -> Iterator[str]:
    """Yield lines for each reason and column."""
    for (reason, column), rows in by_reason(rejects):
        yield f"\n{len(rows):,} {reason}" + (f" in {column}" if column else "")
        yield from _samples(rejects, rows[:samples])


def by_reason(rejects: pa.Table) -> list[tuple[tuple[str, str], list[int]]]:
    """Return the rows of each reason and column, the most frequent first."""
    groups: dict[tuple[str, str], list[int]] = {}
    reasons, columns = (rejects[name].to_pylist() for name in ("reason", "column"))
    for row, (reason, column) in enumerate(zip(reasons, columns, strict=True)):
        groups.setdefault((reason, column or ""), []).append(row)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def _samples(rejects: pa.Table, rows: Sequence[int]) -> Iterator[str]:
    for row in rejects.take(list(rows)).to_pylist():
        value = "" if row["value"] is None else f" {row['value']!r}"
        yield f"  {row['source']}:{row['line']}{value}"
        yield f"    {row['record'].rstrip()[:200]}"
