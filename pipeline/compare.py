"""`skewless compare`: shows how runs differ from the first one named, in text or as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline import answers, completion

if TYPE_CHECKING:
    from pipeline.comparison import MetricChange, RunComparison

PAGE = "compare.html"
_SHOWN = 5  # slices that got worse, and as many that got better
_LONGEST = 60  # characters of a value of pipeline.yaml
_MEASURES = {
    "L_INFTY": "largest difference of a value's share",
    "MEAN": "difference of the means, in standard deviations",
    "MISSING": "difference of the missing share",
}


@click.command()
@click.argument(
    "runs", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=completion.runs
)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of pipelines, as `skewless run` has it.",
)
@click.option(
    "--html", "as_page", is_flag=True, help=f"Write a page, {PAGE}, into the current folder."
)
@answers.option
def command(runs: tuple[str, ...], output: str, as_page: bool, as_json: bool) -> None:
    """Show how each further RUN differs from the first one.

    RUN is a run's folder, its id or the beginning of it, or a pipeline in ROOT, which stands for
    its newest run. Shown are changes of the configuration, metrics, slices that got better or
    worse, and columns of the training data that moved further than by chance.
    """
    if len(runs) < 2:
        raise click.UsageError("two runs or more can be compared; list them: skewless runs")
    from pipeline import comparison, recorded_runs
    from pipeline.runs import facts

    found = recorded_runs.readable([recorded_runs.find_one(run, output) for run in runs])
    first, *others = [comparison.Side.of(run, summary) for run, summary in found]
    if as_page:
        from components import files
        from pipeline.report import compare_page

        path = os.path.abspath(PAGE)
        files.write_whole(path, compare_page.page(compare_page.content_of(first, others)))
        click.echo(f"comparison: {path}", err=as_json)
    compared = [comparison.compare(first, other) for other in others]
    if as_json:
        known = [facts(run) for run, _ in found]
        changes = [each.model_dump(mode="json") for each in compared]
        answers.show({"runs": known, "comparisons": changes})
        return
    for each in () if as_page else compared:
        for line in lines(each):
            click.echo(line)


def lines(comparison: RunComparison) -> Iterator[str]:
    """Yield a comparison as text."""
    yield f"{comparison.before} -> {comparison.after}"
    yield from _section("configuration", _configuration(comparison))
    yield from _section("metrics", _metrics(comparison.metrics))
    yield from _section("slices", _slices(comparison))
    yield from _section("columns of the training split", _columns(comparison))
    yield ""


def _section(title: str, lines: Sequence[str] | None) -> Iterator[str]:
    """Yield lines below their title; None is what a run has not kept, and empty no change."""
    yield ""
    if lines is None:
        yield f"{title}: not kept by both runs"
    elif not lines:
        yield f"{title}: no change"
    else:
        yield title
        yield from (f"  {line}" for line in lines)


def _configuration(comparison: RunComparison) -> list[str] | None:
    if comparison.settings is None:
        return None
    settings = [f"{s.key}: {_value(s.before)} -> {_value(s.after)}" for s in comparison.settings]
    texts = {"schema.pbtxt": comparison.schema_lines, "features.py": comparison.code_lines}
    changed = [f"{file} {line}" for file, lines in texts.items() for line in lines or ()]
    return [*settings, *changed]


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _metrics(changes: Sequence[MetricChange] | None) -> list[str] | None:
    if changes is None:
        return None
    rows = [(c.name, f"{c.better} is better", *_figures(c), c.verdict or "") for c in changes]
    return _table(("metric", "", "before", "after", "change", ""), rows)


def _slices(comparison: RunComparison) -> list[str] | None:
    if comparison.slices is None:
        return None
    by_verdict = {
        verdict: [each for each in comparison.slices if each.change.verdict == verdict]
        for verdict in ("worse", "better")
    }
    # the worst changes come first, the best ones last
    shown = [*by_verdict["worse"][:_SHOWN], *reversed(by_verdict["better"][-_SHOWN:])]
    rows = [
        (
            f"{each.column} = {each.value}",
            f"{each.examples[0]:,} -> {each.examples[1]:,}",
            *_figures(each.change),
            each.change.verdict or "",
        )
        for each in shown
    ]
    head = shown[0].change.name if shown else ""
    table = _table((f"{head} of", "rows", "before", "after", "change", ""), rows)
    left = len(comparison.slices) - len(shown)
    return [*table, f"and {left} more in --json"] if left else table


def _columns(comparison: RunComparison) -> list[str] | None:
    if comparison.columns is None:
        return None
    rows = [
        (each.column, f"{each.value:.4f}", f"{each.chance:.4f}", _MEASURES[each.measure])
        for each in comparison.columns
    ]
    return _table(("column", "moved", "by chance", "measure"), rows)


def _figures(change: MetricChange) -> tuple[str, str, str]:
    from schemas.tasks.options import figure_text

    before, after = change.before, change.after
    moved = None if before is None or after is None else after - before
    signed = "+" if moved is not None and moved > 0 else ""
    return figure_text(before), figure_text(after), signed + figure_text(moved)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    from components.validate import table

    if not rows:
        return []
    return table.render(head, rows, widths=[60] * len(head), indent="").splitlines()
