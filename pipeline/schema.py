"""`skewless schema`: shows and accepts what new data would change in a dataset's schema.pbtxt.

Reads the statistics of a run, or the first rows of the table. Imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline import answers, completion
from schemas.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from components.validate.proposals import SchemaChange
    from schemas.catalog import Dataset

_WIDTHS = (28, 22, 26, 44)


@click.group()
def command() -> None:
    """Show or accept what new data would change in the schema.pbtxt of a dataset."""


def _arguments(function: Callable[..., None]) -> Callable[..., None]:
    for decorate in (
        click.option(
            "--table", is_flag=True, help="Look at the table's first rows rather than at a run."
        ),
        click.argument("run", metavar="[RUN]", required=False, shell_complete=completion.pipelines),
        click.argument("dataset", metavar="DATASET", shell_complete=completion.datasets),
    ):
        function = decorate(function)
    return function


@command.command()
@_arguments
@answers.option
def diff(dataset: str, run: str | None, table: bool, as_json: bool) -> None:
    """Show what new data would change in the schema.pbtxt of DATASET.

    The data are those of the newest run in RUN that has statistics; by default in the pipeline's
    folder below runs/, and the first rows of the table where there is none. Columns of the table
    that schema.pbtxt does not describe are listed, too.
    """
    from schemas import catalog

    read = catalog.load(dataset)
    title, found = _found(read, run, table=table)
    if as_json:
        answers.show({"data": title, "changes": [_change(each) for each in found]})
        return
    click.echo(title)
    if not found:
        click.echo("schema.pbtxt describes these data")
        return
    _show(found)
    same = shlex.join([dataset, *([run] if run else []), *(["--table"] if table else [])])
    click.echo("")
    if any(each.edits and not each.by_name for each in found):
        click.echo(f"to accept all: skewless schema accept {same} --all")
    if named := [each.column for each in found if each.edits and each.by_name]:
        click.echo(f"by name only: skewless schema accept {same} --column {shlex.quote(named[0])}")


@command.command()
@_arguments
@click.option("--column", "columns", multiple=True, help="Accept what changes in this column.")
@click.option("--all", "all_columns", is_flag=True, help="Accept all but new columns and types.")
def accept(
    dataset: str, run: str | None, table: bool, columns: tuple[str, ...], all_columns: bool
) -> None:
    """Write what new data would change into the schema.pbtxt of DATASET.

    Only the values named are changed; comments and formatting stay as they are. New columns and
    other types are accepted only by name. The text is checked before it is written.
    """
    if bool(columns) == all_columns:
        raise click.UsageError("name the columns with --column, or give --all")
    from schemas import catalog

    read = catalog.load(dataset)
    title, found = _found(read, run, table=table)
    click.echo(title)
    chosen = _chosen(found, columns)
    path = read.folder / catalog.SCHEMA_FILE
    written = _accepted(path, chosen)
    _show(chosen)
    click.echo("")
    _write(read, path, written)


def _change(change: SchemaChange) -> dict[str, str | bool]:
    """Return a change as JSON has it."""
    return {
        "column": change.column,
        "what": change.what,
        "written": change.written,
        "seen": change.seen,
        "acceptable": bool(change.edits),
        "by_name": change.by_name,
    }


def _found(dataset: Dataset, run: str | None, *, table: bool) -> tuple[str, list[SchemaChange]]:
    """Return which data they are, and what they change."""
    from components.validate import proposals
    from pipeline import schema_data
    from schemas.catalog import SCHEMA_FILE

    data = schema_data.of(dataset, run, table=table)
    text, where = _text(dataset.folder / SCHEMA_FILE), str(dataset.folder / SCHEMA_FILE)
    found = proposals.changes(text, data.splits, where=where)
    for column, values in data.not_integers.items():
        change = proposals.wider_type(text, column, values, where=where)
        found += [change] if change is not None else []
    for name, kind, domain, example in schema_data.new_columns(dataset):
        found.append(proposals.new_column(text, name, kind, domain, example))
    return data.title, found


def _show(found: Sequence[SchemaChange]) -> None:
    from components.validate.table import render

    rows = [
        (each.column, each.what, each.written, each.seen + ("" if each.edits else " (by hand)"))
        for each in found
    ]
    click.echo("")
    click.echo(render(("column", "what", "schema.pbtxt", "data"), rows, widths=_WIDTHS))


def _chosen(found: Sequence[SchemaChange], columns: Sequence[str]) -> list[SchemaChange]:
    """Return the changes that are to be accepted.

    Raises:
      ConfigError: a column has none, or there is none at all.
    """
    possible = [each for each in found if each.edits]
    if not columns:
        chosen = [each for each in possible if not each.by_name]
        if not chosen:
            raise ConfigError(
                "there is nothing to accept",
                expected="data that schema.pbtxt does not describe",
                remedy="see what there is: skewless schema diff",
            )
        return chosen
    known = {each.column for each in possible}
    for column in columns:
        if column not in known:
            hint = f"; {did_you_mean(column, known)}" if known else ""
            raise ConfigError(
                f"nothing can be accepted for the column {column!r}{hint}",
                where="--column",
                remedy="see what there is: skewless schema diff",
            )
    return [each for each in possible if each.column in columns]


def _text(path: Path) -> str:
    """Return the text of schema.pbtxt with its own line ends.

    Raises:
      ConfigError: it is not UTF-8, in which it is written again.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path.name} is not UTF-8: {error}", where=str(path), remedy="convert it to UTF-8"
        ) from error


def _accepted(path: Path, chosen: Sequence[SchemaChange]) -> str:
    from schemas import schema_text

    return schema_text.apply(_text(path), [edit for each in chosen for edit in each.edits])


def _write(dataset: Dataset, path: Path, written: str) -> None:
    """Show the difference, check the new text, and write it.

    Raises:
      ConfigError: the text does not fit pipeline.yaml; nothing is written.
    """
    from components import files
    from schemas import catalog

    before = _text(path).splitlines()
    for line in difflib.unified_diff(
        before, written.splitlines(), str(path), str(path), lineterm="", n=2
    ):
        click.echo(line)
    catalog.with_schema(dataset.folder, written.replace("\r\n", "\n"))
    files.write_whole(str(path.resolve()), written)
    catalog.load(str(dataset.folder))
    click.echo(f"\nwrote {path}")
