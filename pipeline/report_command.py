"""`skewless report`: shows the report of a run, one HTML file; writes it if the run has none.

Reads artifacts; imports neither TensorFlow nor Beam.
"""

from __future__ import annotations

import click

from pipeline import answers, completion


@click.command()
@click.argument("run", metavar="RUN", shell_complete=completion.runs)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of pipelines, as `skewless run` has it.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@answers.option
def command(run: str, output: str, show: bool, as_json: bool) -> None:
    """Show where the report of RUN is; write it if the run has none.

    RUN is a run's folder, its id or the beginning of it, or a pipeline in ROOT, which stands for
    its newest run. The report is one file that needs no other, and opens no connection.
    """
    from pipeline import recorded_runs
    from pipeline.report import run_page

    ((found, summary),) = recorded_runs.readable([recorded_runs.find_one(run, output)])
    path = run_page.find(found, summary)
    if as_json:
        answers.show({"run_id": summary.run_id, "page": str(path)})
    else:
        click.echo(f"report of run {summary.run_id}: {path}")
    if show and click.launch(path.as_uri()):
        click.echo("no browser could be started: open the file in one")
