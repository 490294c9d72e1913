"""`skewless run`: checks the command line, pipeline.yaml and schema.pbtxt first.

Errors in them are reported before the modules that run a DAG are imported.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from pipeline import answers, beam_command, completion
from pipeline.beam_command import BeamCommand
from schemas.secrets import redacted

if TYPE_CHECKING:
    from pipeline.summary import Summary
    from schemas.catalog import Dataset
    from schemas.runners import RunnerName


@click.command(cls=BeamCommand)
@click.argument("dataset", metavar="DATASET", shell_complete=completion.datasets)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of runs, artifacts and pushed models; each pipeline has a folder in it.",
)
@click.option(
    "--allow-anomalies",
    is_flag=True,
    help="Continue although the data has anomalies; recorded as your choice.",
)
@click.option(
    "--spans",
    "--span",
    metavar="SPANS",
    help="The spans to read of a source with {SPAN} or a date in its path: 12, 10..16, 2026-11-30,"
    ' or "last 7". Without it, those of pipeline.yaml, or the newest one.',
)
@click.option(
    "--model",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="A file whose section `model` replaces that of pipeline.yaml, such as tuned.yaml.",
)
@click.option(
    "--folds",
    type=click.IntRange(2, 100),
    help="Train a model for each of so many folds of the training rows, and serve their mean; like"
    " splits.folds and model.per_fold.",
)
@click.option("--from", "from_stage", metavar="STAGE", help="Execute STAGE and all after it again.")
@click.option("--until", metavar="STAGE", help="End after STAGE.")
@click.option("--only", metavar="STAGE", help="Execute STAGE again, and end after it.")
@click.option(
    "--sample",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Train on this share of the training rows, and end after evaluate: to try something out.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Run up to evaluate, again after each change of the dataset's files, and show what the"
    " change did to the metrics. Ctrl-C ends it.",
)
@click.option(
    "--select",
    type=click.Choice(["importance"]),
    help="Train twice: without the columns that do not help the first model, by a paired test of"
    " what permuting them costs.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors.")
@answers.option
@click.option("-v", "--verbose", is_flag=True, help="Also show the traceback of a failure.")
@beam_command.options
@click.pass_context
def command(
    ctx: click.Context,
    dataset: str,
    output: str,
    allow_anomalies: bool,
    spans: str | None,
    model: str | None,
    folds: int | None,
    from_stage: str | None,
    until: str | None,
    only: str | None,
    sample: float | None,
    watch: bool,
    select: str | None,
    verbose: bool,
    quiet: bool,
    as_json: bool,
    runner: RunnerName | None,
    settings: tuple[str, ...],
) -> None:
    """Run DATASET from raw rows to a proven, pushed model.

    DATASET is the name of a shipped dataset, such as taxi, or a folder with pipeline.yaml and
    schema.pbtxt. Results of earlier runs are used again if nothing they depend on has changed. What
    follows `--` goes to Beam. The stages are, in this order: import_schema, ingest, statistics,
    validate, gate, transform, train, calibrate (if chosen), export, evaluate, explain, parity and
    push.
    """
    _check_together(ctx.params)
    if (watch or sample is not None) and only is None:
        until = until or "evaluate"
    from pipeline import runners
    from pipeline.stage_choice import StageChoice
    from schemas import catalog

    stages = StageChoice.of(from_stage=from_stage, until=until, only=only)

    def read() -> Dataset:
        found = catalog.load(dataset)
        found = found if model is None else catalog.with_model(found, model)
        found = found if folds is None else catalog.with_folds(found, folds)
        return found if sample is None else catalog.with_sample(found, sample)

    def start(found: Dataset, stages: StageChoice) -> Summary:
        on = runners.choose(found.spec.runner, runner, settings, ctx.meta["beam"])
        from pipeline.run import run

        return run(
            found,
            output=output,
            allow_anomalies=allow_anomalies,
            verbose=verbose,
            quiet=quiet or as_json,
            on=on,
            chosen=spans,
            stages=stages,
            command=redacted(shlex.join(["skewless", *sys.argv[1:]])),
        )

    def run_once() -> Summary:
        if select is None:
            return start(read(), stages)
        from pipeline.selecting import run_selecting

        return run_selecting(start, read(), output=output, quiet=quiet or as_json, stages=stages)

    if not watch:
        summary = run_once()
        if as_json:
            answers.show(summary.model_dump(mode="json"))
        return
    from pipeline.watch import watch as keep_watching

    keep_watching(catalog.find_folder(dataset), run_once, output)


def _check_together(given: Mapping[str, Any]) -> None:
    """Check that the options, by their parameters, go together.

    Raises:
      click.UsageError: two of them contradict each other.
    """
    stages = given["from_stage"] or given["until"] or given["only"]
    if given["watch"] and given["as_json"]:
        raise click.UsageError("--watch goes on until Ctrl-C: leave out --json")
    if given["watch"] and stages:
        raise click.UsageError("--watch runs up to evaluate: leave out --from, --until and --only")
    if given["select"] is not None and (given["watch"] or given["sample"] is not None):
        raise click.UsageError("--select publishes: leave out --watch and --sample")
