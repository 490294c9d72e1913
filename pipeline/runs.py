"""`skewless runs`: lists the runs of pipelines, from the summaries that they keep."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline import answers, completion

if TYPE_CHECKING:
    from pipeline.recorded_runs import RecordedRun

_METRICS = 3  # that a line shows
_HEAD = ("pipeline", "run", "started (UTC)", "status", "rows", "metrics", "time", "version")


@click.command()
@click.argument("where", metavar="[NAME|FOLDER]", required=False, shell_complete=completion.runs)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of pipelines, as `skewless run` has it.",
)
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N runs."
)
@click.option(
    "--html", "as_page", is_flag=True, help="Write a page, index.html, into the folder of the runs."
)
@answers.option
def command(
    where: str | None, output: str, limit: int | None, as_page: bool, as_json: bool
) -> None:
    """List the runs of a pipeline, or of all pipelines, newest first.

    NAME is a pipeline in ROOT; FOLDER is a pipeline's folder, such as runs/taxi, or a folder of
    pipelines, on a disk or in a store. A run without a summary is `running`, or was `killed`; one
    whose summary cannot be read is `damaged`.
    """
    from components.validate import table
    from pipeline import recorded_runs

    found = recorded_runs.find(where, output)[:limit]
    if as_page:
        click.echo(f"runs: {_write_page(found)}", err=as_json)
    if as_json:
        answers.show([facts(run) for run in found])
    if as_page or as_json:
        return
    widths = (24, 22, 19, 11, 12, 60, 9, 7)
    click.echo(table.render(_HEAD, list(_rows(found)), widths=widths, indent=""))
    for run in found:
        if run.problem is not None:
            click.echo(f"damaged: {run.problem}")


def _write_page(runs: Sequence[RecordedRun]) -> str:
    """Write the page into the folder of the pipeline, or of the pipelines; return its path."""
    from components import files
    from pipeline.report import runs_page

    pipelines = {run.pipeline_folder for run in runs}
    place = pipelines.pop() if len(pipelines) == 1 else os.path.dirname(pipelines.pop())
    path = os.path.join(files.absolute(place), runs_page.FILE_NAME)
    files.write_whole(path, runs_page.page(runs_page.content_of(runs, os.path.dirname(path))))
    return path


def facts(run: RecordedRun) -> dict[str, Any]:
    """Return what the list has about a run, as JSON has it; None for what is not known."""
    summary = run.summary
    counts = summary.counts if summary is not None else None
    return {
        "pipeline": run.pipeline,
        "run_id": run.run_id,
        "folder": run.folder,
        "started": run.started,
        "status": run.status,
        "rows": counts["records_read"] if counts is not None else None,
        "metrics": metrics(run),
        "seconds": summary.seconds if summary is not None else None,
        "version": summary.version if summary is not None else None,
        "problem": run.problem,
    }


def metrics(run: RecordedRun) -> dict[str, float | None]:
    """Return the metrics of a run's model that can be better or worse, its objective first."""
    from pipeline.summary import task_of

    if run.summary is None or run.summary.evaluation is None:
        return {}
    evaluation = run.summary.evaluation
    task, overall = task_of(evaluation), evaluation["overall"]
    objective = evaluation.get("objective", task.OBJECTIVE)
    names = [m.name for m in task.shown(objective, overall) if m.better is not None]
    first = sorted(names, key=lambda name: name != objective)
    return {name: overall[name] for name in first if name in overall}


def _rows(runs: Sequence[RecordedRun]) -> Iterator[tuple[str, ...]]:
    from schemas.tasks.options import figure_text

    for run in runs:
        known = facts(run)
        figures = list(known["metrics"].items())[:_METRICS]
        yield (
            run.pipeline,
            run.run_id,
            run.started[:19].replace("T", " "),
            run.status,
            "" if known["rows"] is None else f"{known['rows']:,}",
            ", ".join(f"{name} {figure_text(value)}" for name, value in figures),
            "" if known["seconds"] is None else f"{known['seconds']:.1f} s",
            "" if known["version"] is None else str(known["version"]),
        )
