"""`skewless init`: writes the two files of a dataset from a look at its table.

Imports pyarrow, and neither TensorFlow nor Beam.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.catalog import SCHEMA_FILE, SPEC_FILE
from schemas.errors import ConfigError
from schemas.sources import KINDS, plain
from schemas.sources.options import FileOptions

if TYPE_CHECKING:
    from components.profile.draft import Draft

_SHOWN = 20  # doubts and columns that are left out
_ENDING = "|".join(
    [
        r"\.(csv|tsv|txt|gz)",
        *(re.escape(each) for kind in KINDS for each in getattr(kind, "endings", ())),
    ]
)
_ENDINGS = re.compile(f"({_ENDING})+$", re.IGNORECASE)


@click.command()
@click.argument("table")
@click.option("--label", required=True, help="Column to predict.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to write the two files into; by default, one named after the table.",
)
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression"]),
    help="What is predicted, where the label's values leave it open.",
)
@click.option("--eval", "eval_table", help="File of the rows that training watches.")
@click.option("--test", "test_table", help="File of the rows that measure how good the model is.")
@click.option("--query", help="Query whose result is the table, if TABLE is a database's URL.")
@click.option("--name", help="Name of the pipeline; by default, the folder's.")
@click.option("--force", is_flag=True, help="Overwrite the two files if they exist.")
def command(
    table: str,
    label: str,
    output: Path | None,
    task: str | None,
    eval_table: str | None,
    test_table: str | None,
    query: str | None,
    name: str | None,
    force: bool,
) -> int:
    """Describe TABLE in two files that `skewless run` can use.

    TABLE is a CSV, JSON lines, Parquet, Arrow, ORC, Avro or TFRecord file, a pattern of such files,
    or a table of a database, such as sqlite:///trips.db#trips; with --query, the database's URL
    alone. The command looks at its first rows, decides what each column is and becomes, and writes
    schema.pbtxt and pipeline.yaml with a reason for each decision.
    """
    write(
        table,
        label,
        output=output,
        task=task,
        eval_table=eval_table,
        test_table=test_table,
        query=query,
        name=name,
        force=force,
    )
    return 0


def write(
    table: str,
    label: str,
    *,
    output: Path | None = None,
    task: str | None = None,
    eval_table: str | None = None,
    test_table: str | None = None,
    query: str | None = None,
    name: str | None = None,
    force: bool = False,
) -> Path:
    """Write the two files of a dataset, print what was decided, and return their folder.

    Raises:
      ConfigError: the files exist and `force` is not set, or the label cannot be predicted.
      DataError: the table cannot be read.
    """
    from components import files
    from components.profile import texts
    from components.profile.draft import draft
    from components.profile.table import look

    folder = output or Path(_name(table))
    _check_free(folder, force)
    given = _given(table, eval_table, test_table, query)
    first, *others = (look(path, named=path, query=query) for path in given)
    described = draft(first, label, task, others)
    if test_table is not None:
        described = described.of_files(given[1:], has_eval=eval_table is not None)
    paths = [path if files.in_store(path) else _from(path, folder) for path in given]
    source = first.source.moved(lambda file: _from(file, folder))
    described = replace(described, table=replace(first, source=source))
    pipeline = texts.pipeline_text(described, name or _name(str(folder.resolve())), paths)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_whole(str(folder / SCHEMA_FILE), texts.schema_text(described).encode())
    files.write_whole(str(folder / SPEC_FILE), pipeline.encode())
    _check(folder)
    _report(described, folder, pipeline)
    return folder


def _check_free(folder: Path, force: bool) -> None:
    existing = [each for each in (SPEC_FILE, SCHEMA_FILE) if os.path.lexists(folder / each)]
    if existing and not force:
        raise ConfigError(
            f"{folder} already has {' and '.join(existing)}",
            where=str(folder),
            expected="a folder without these files",
            remedy="name another folder with -o, or overwrite them with --force",
        )


def _given(
    table: str, eval_table: str | None, test_table: str | None, query: str | None
) -> list[str]:
    """Return all paths, that of train first and that of test last.

    Raises:
      ConfigError: there is no file of test, or two have the same name.
    """
    if eval_table is not None and test_table is None:
        raise ConfigError(
            "--eval is given without --test",
            expected="a file of test, too, or only the table: its rows are then split",
        )
    paths = [path for path in (table, eval_table, test_table) if path is not None]
    are_files = query is None and all(isinstance(plain(path), FileOptions) for path in paths)
    if test_table is not None and not are_files:
        raise ConfigError(
            "a table of a database is given with --test",
            expected="files of eval and test, or only the table: its rows are then split",
        )
    names = [os.path.basename(path) for path in paths]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"two files have the same name: {', '.join(names)}",
            expected="files with different names, by which rows are split",
            remedy="rename one of them",
        )
    return paths


def _name(path: str) -> str:
    """Return a name for a pipeline from a path or a table's URL.

    >>> _name("data/2024 trips (all).csv.gz"), _name("parts/*.parquet"), _name("sqlite:///a.db#t")
    ('trips_all', 'parts', 't')
    """
    if "://" in path and "#" in path:
        path = path.rpartition("#")[2]
    base = os.path.basename(path.rstrip("/"))
    if re.search(r"[*?\[]", base):
        base = os.path.basename(os.path.dirname(path)) or "table"
    base = _ENDINGS.sub("", base)
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", base).strip("_-")
    return re.sub(r"^[^A-Za-z]+", "", plain)[:63] or "table"


def _from(table: str, folder: Path) -> str:
    """Return a local path relative to a folder; absolute if it is far away."""
    absolute = os.path.abspath(table)
    relative = os.path.relpath(absolute, folder.resolve())
    return absolute if relative.count("../") > 2 else relative


def _check(folder: Path) -> None:
    """Check that `skewless run` accepts the files."""
    from schemas.catalog import load

    load(str(folder))


def _report(described: Draft, folder: Path, pipeline: str) -> None:
    """Print what was decided, and what a person should look at."""
    from components.profile.texts import line_of, source_doubts

    table = described.table
    looked = f"all {table.rows:,} rows" if table.whole else f"the first {table.rows:,} rows"
    held = f", {table.files} file(s)" if isinstance(table.source, FileOptions) else ""
    click.echo(f"looked at {looked} of {len(table.columns)} columns{held}")
    click.echo(f"label      {described.label.typed.column.name}: {described.label.summary}")
    click.echo(f"features   {len(described.features)}")
    for choice in described.left_out[:_SHOWN]:
        click.echo(f"left out   {choice.name}: {choice.reason}")
    if len(described.left_out) > _SHOWN:
        click.echo(f"           … and {len(described.left_out) - _SHOWN} more")
    doubts = source_doubts(described)
    doubts += [(described.label.typed.column.name, text) for text in described.label.doubts]
    doubts += [(choice.name, choice.doubt) for choice in described.choices if choice.doubt]
    if doubts:
        click.echo("\nplease look at:")
    for column, text in doubts[:_SHOWN]:
        click.echo(f"  {SPEC_FILE}:{line_of(pipeline, column)}: {column}: {text}")
    if len(doubts) > _SHOWN:
        click.echo(f"  … and {len(doubts) - _SHOWN} more")
    click.echo(f"\nwrote {folder / SCHEMA_FILE} and {folder / SPEC_FILE}; next:")
    click.echo(f"  skewless run {folder}")
