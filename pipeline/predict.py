"""`skewless predict`: files of rows, scored by a pushed model into a file or folder."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from components import files, progress, stores
from components.score.formats import FORMATS, Format
from components.sources.found import source_files
from pipeline import beam_command, engines, runners, scoring
from pipeline.beam_command import BeamCommand
from pipeline.folders import new_run_id
from pipeline.scoring import Source
from schemas.runners import RunnerName

STAGE = "predict"


@click.command(cls=BeamCommand)
@click.argument("source", metavar="RUN-OR-FOLDER")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="PATH",
    help="A file ending in .parquet, .csv or .jsonl, or a folder.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Format of the output. [default: its ending's; parquet for a folder]",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="COLUMN",
    help="Column of INPUT to copy to the output, with its type; may be repeated."
    " [default: source and line]",
)
@click.option(
    "--columns",
    metavar="NAME,...",
    help="Outputs of the model that are wanted. [default: all]",
)
@click.option("--version", type=click.IntRange(0), help="Version to ask. [default: the newest]")
@click.option(
    "--compare",
    type=click.IntRange(0),
    metavar="VERSION",
    help="Another version, to be scored beside and compared with.",
)
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Take from its pipeline.yaml how files are written, and the runner."
    " [default: as the run's source was; direct]",
)
@click.option("--overwrite", is_flag=True, help="Replace what an earlier predict wrote there.")
@beam_command.options
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    inputs: tuple[str, ...],
    output: str,
    kind: Format | None,
    keys: tuple[str, ...],
    columns: str | None,
    version: int | None,
    compare: int | None,
    dataset: str | None,
    overwrite: bool,
    runner: RunnerName | None,
    settings: tuple[str, ...],
) -> None:
    """Score the rows of INPUT... with a pushed model.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel.
    INPUT is a CSV file, plain or gzipped, a Parquet file, or a pattern of such. Rows that cannot be
    scored are kept beside the output, each with its reason. What follows `--` goes to Beam.
    """
    found = Source.of(source)
    model = found.version(version)
    other = None if compare is None else found.version(compare)
    paths = input_paths(inputs)
    written, schema = found.written(dataset), found.columns(dataset)
    on = runners.choose(scoring.runner_of(dataset), runner, settings, ctx.meta["beam"])
    engines.check(on, [*paths, model, output])
    from components.score.output import Output
    from components.score.sources import check_kinds

    if files.in_store(output):
        stores.check_writable(output)
    kept = [model, *([] if other is None else [other]), *found.kept]
    place = Output.of(output, kind, overwrite=overwrite, inputs=paths, kept=kept)
    check_kinds(paths)
    with scoring.told(STAGE) as (screen, _):
        screen.line(f"{len(paths):,} file{'s'[: len(paths) > 1]}, scored by {model}", "bold")
        with scoring.imports():
            importlib.import_module("components.evaluate.signature")  # TensorFlow
            from components.score.batch import predict
        # Dataflow takes no second job of the same name while the first one runs
        with progress.stage(STAGE), engines.running(on, f"skewless-{new_run_id()}"):
            scored = predict(
                model=model,
                paths=paths,
                output=place,
                source=written,
                keys=keys,
                columns=[] if columns is None else columns.split(","),
                compare_with=other,
                schema=schema,
            )
        for line in scored.lines():
            screen.line(line)


def input_paths(patterns: Sequence[str]) -> list[str]:
    """Return the files that paths and patterns name, in their order, each pattern's sorted.

    Raises:
      DataError: one names no file.
      StoreError: its store does not answer, or refuses.
    """
    paths: dict[str, None] = {}
    for pattern in patterns:
        if files.in_store(pattern):
            stores.check(pattern)
        paths |= dict.fromkeys(source_files(pattern, named=pattern))
    return list(paths)
