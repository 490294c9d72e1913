"""`skewless show`: shows what a run makes of each column, from both files and the headers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from pipeline import answers, completion

if TYPE_CHECKING:
    from components.sources.protocol import Part, Reader
    from schemas.catalog import Dataset
    from schemas.columns import Column

_MOST_NAMES = 12  # of transformed features, in one cell


@click.command()
@click.argument("dataset", metavar="DATASET", shell_complete=completion.datasets)
@click.argument("column", metavar="[COLUMN]", required=False)
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Rows of COLUMN to show.",
)
@answers.option
def command(dataset: str, column: str | None, rows: int, as_json: bool) -> None:
    """Show what a run makes of each column of DATASET, or what it made of COLUMN.

    DATASET is the name of a shipped dataset, or a folder with pipeline.yaml and schema.pbtxt. With
    COLUMN, it is a pipeline's folder, such as runs/taxi, on a disk or in a store: rows of its
    newest run are shown before and after the transformation, with what was learned.
    """
    if column is not None:
        from pipeline import show_column, show_column_text

        content = show_column.show(dataset, column, rows=rows)
        if as_json:
            answers.show(content)
            return
        for line in show_column_text.lines_of(content):
            click.echo(line)
        return
    if as_json:
        raise click.UsageError("--json is for one COLUMN of a run")
    _show_dataset(dataset)


def _show_dataset(dataset: str) -> None:
    from components.validate.table import render
    from pipeline import spans
    from schemas import catalog

    read = spans.resolved(catalog.load(dataset))
    parts = [part for _, part in parts_of(read)]
    spec = read.spec
    rows = sum(part.rows for part in parts)
    click.echo(f"{spec.name} predicts {spec.label.in_words()} ({spec.label.task})")
    paths = ", ".join(spec.source.paths)
    click.echo(f"source     {paths}: {spec.source.format}, about {rows:,.0f} rows")
    if spec.source.read_always:
        click.echo(f"cache      none: {spec.source.read_always}")
    if read.spans:
        click.echo(f"spans      {spans.in_words(read)}")
    for rule in spec.prepare.in_words():
        click.echo(f"prepare    {rule}")
    for name, text in spec.derive.items():
        click.echo(f"derive     {name}: {text}")
    for name, filling in spec.missing.items():
        click.echo(f"missing    {name}: {filling.in_words}")
    folds = "" if spec.splits.folds is None else f"; train has {spec.splits.folds} folds"
    click.echo(f"splits     train, eval and test: {spec.splits.in_words()}{folds}\n")
    click.echo(
        render(
            ("column", "type", "becomes", "by", "transformed features"),
            list(_lines(read)),
            widths=(40, 24, 44, 60, 60),
            indent="",
        )
    )
    ignored = sorted({name for part in parts for name in part.ignored})
    if ignored:
        click.echo(f"\nnot read, as schema.pbtxt does not have them: {', '.join(ignored)}")


def _lines(dataset: Dataset) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a line for each column, raw and derived, and one for each combination."""
    spec = dataset.spec
    treatments = {feature.column: feature.treatments for feature in spec.features}
    taken: dict[str, set[str]] = {}  # by other columns' treatments and combinations
    for use in spec.uses:
        for name in use.columns:
            taken.setdefault(name, set()).add(use.options.kind)
    derived = tuple(each.column for each in dataset.derived)
    raw = (column for column in dataset.columns if not column.is_derived)
    for column in (*raw, *derived):
        own = treatments.get(column.name, ())
        features = [f.name for each in own for f in each.outputs((column.name,), 0)]
        uses = [_written(treatment) for treatment in own]
        others = taken.get(column.name, set()) if not own else set()
        uses += [f"in a {kind}" for kind in sorted(others)]
        uses += [f"in {each.name}" for each in dataset.derived if column.name in each.inputs]
        uses += ["the split"] if column.name in spec.splits.columns and not own else []
        uses += ["the label"] if column.name in spec.label.columns else []
        kind = f"{column.kind}, derived" if column in derived else _type(column)
        becomes, rule = ", ".join(uses) or "not used", _rule(dataset, column.name)
        yield column.name, kind, becomes, rule, _listed(features)
    for each in (*spec.crosses, *spec.combinations):
        names = [f.name for f in each.outputs(each.columns, 0)]
        yield " x ".join(each.columns), "", _written(each), "", _listed(names)


def _rule(dataset: Dataset, column: str) -> str:
    """Return the key of `features:` that a column follows, or what keeps it from doing so."""
    rule = dataset.rules.get(column)
    if rule is None:
        return ""
    key = f"line {rule.line}" if rule.key == column else f"{rule.key}, line {rule.line}"
    return f"not {key}: it {rule.skipped}" if rule.skipped else key


def _listed(names: Sequence[str]) -> str:
    """Return names as a list, the middle of a long one left out."""
    return ", ".join([*names[:2], "…", *names[-2:]] if len(names) > _MOST_NAMES else names)


def _type(column: Column) -> str:
    written = column.type.written
    return f"{written}, up to {column.most} a row" if column.is_list else written


def _written(treatment: object) -> str:
    """Return a treatment as pipeline.yaml has it, with the options that are not the defaults."""
    from schemas.treatments.options import TreatmentOptions, options_in_words

    assert isinstance(treatment, TreatmentOptions)
    options = options_in_words(
        treatment.model_dump(mode="json", exclude={"kind", "columns"}, exclude_defaults=True)
    )
    return f"{treatment.kind}: {{{options}}}" if options else treatment.kind


def parts_of(dataset: Dataset) -> list[tuple[Reader[Part], Part]]:
    """Return each part of the table with its reader.

    Raises:
      DataError: there is no file, or one cannot be read, or lacks a column.
    """
    from pipeline import source

    reader = source.reader_of(dataset)
    return [(reader, part) for path in source.paths_of(dataset) for part in reader.parts(path)]
