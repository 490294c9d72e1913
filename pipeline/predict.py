"""`skewless predict`: scores files of rows with a pushed model."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from components import files, progress, stores
from components.score.formats import FORMATS, Format
from components.sources.source_files import source_files
from pipeline import answers, beam_command, engines, runners, scoring
from pipeline.beam_command import BeamCommand
from pipeline.folders import new_run_id
from pipeline.scoring import ModelFolder
from schemas.runners import RunnerName
from schemas.sources import plain
from schemas.sources.options import FileOptions

STAGE = "predict"


@click.command(cls=BeamCommand)
@click.argument("run_or_folder", metavar="RUN-OR-FOLDER")
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
    help="Format of the output. [default: by its ending; parquet for a folder]",
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
    help="Outputs of the model to write, or columns of single classes. [default: all outputs]",
)
@click.option(
    "--by-class",
    is_flag=True,
    help="In Parquet, write a column for each class instead of lists, as CSV has.",
)
@click.option("--version", type=click.IntRange(0), help="Version to use. [default: the newest]")
@click.option(
    "--compare",
    type=click.IntRange(0),
    metavar="VERSION",
    help="Another version to score with, and to compare.",
)
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Take the format of the files, and the runner, from its pipeline.yaml."
    " [default: as the run's source was; direct]",
)
@click.option("--overwrite", is_flag=True, help="Replace the output of an earlier predict.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors.")
@answers.option
@beam_command.options
@click.pass_context
def command(
    ctx: click.Context,
    run_or_folder: str,
    inputs: tuple[str, ...],
    output: str,
    kind: Format | None,
    keys: tuple[str, ...],
    columns: str | None,
    by_class: bool,
    version: int | None,
    compare: int | None,
    dataset: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    runner: RunnerName | None,
    settings: tuple[str, ...],
) -> None:
    """Score the rows of INPUT... with a pushed model.

    RUN-OR-FOLDER is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel.
    INPUT is a CSV, JSON lines or TFRecord file, plain or packed, a Parquet, Arrow, ORC or
    Avro file, a pattern of such files, or a table of a database, such as sqlite:///trips.db#trips.
    Rows that cannot be scored are kept beside the output, each with its reason. What follows `--`
    goes to Beam.
    """
    models = ModelFolder.of(run_or_folder)
    model = models.version(version)
    other = None if compare is None else models.version(compare)
    paths = input_paths(inputs)
    written, schema = models.written(dataset), models.columns(dataset)
    on = runners.choose(scoring.runner_of(dataset), runner, settings, ctx.meta["beam"])
    engines.check(on, [*paths, model, output])
    from components.score.output import ScoreOutput
    from components.score.sources import check_kinds

    if files.in_store(output):
        stores.check_writable(output)
    kept = [model, *([] if other is None else [other]), *models.kept]
    place = ScoreOutput.of(output, kind, overwrite=overwrite, inputs=paths, kept=kept)
    check_kinds(paths)
    with scoring.on_screen(STAGE, quiet=quiet or as_json) as (screen, _):
        screen.line(f"{len(paths):,} source{'s'[: len(paths) > 1]}, scored by {model}", "bold")
        with scoring.imports():
            importlib.import_module("components.evaluate.signature")  # TensorFlow
            from components.score.batch import predict
        # Dataflow refuses a second job with the name of a running one
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
                by_class=by_class,
            )
        for line in scored.lines():
            screen.line(line)
    if as_json:
        answers.show(scored.model_dump(mode="json"))


def input_paths(patterns: Sequence[str]) -> list[str]:
    """Return the files that paths and patterns name, in their order; matches are sorted.

    A table's URL stays as it is.

    Raises:
      ConfigError: one is the URL of what cannot be read.
      DataError: one matches no file.
      StoreError: the store does not answer, or refuses.
    """
    paths: dict[str, None] = {}
    for pattern in patterns:
        if files.in_store(pattern):
            stores.check(pattern)
        is_files = isinstance(plain(pattern), FileOptions)
        found = source_files(pattern, named=pattern) if is_files else [pattern]
        paths |= dict.fromkeys(found)
    return list(paths)
