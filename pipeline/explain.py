"""`skewless explain`: why a pushed model gives a row its answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from components.compat import quiet_environment
from pipeline import answers, completion
from pipeline.scoring import ModelFolder
from schemas import description
from schemas.errors import DataError, ModelError
from schemas.tasks.options import figure_text

if TYPE_CHECKING:
    from components.serve.explanation import Contribution, RowExplainer, RowExplanation

_BAR = 16  # characters of a bar to each side
_SHOWN = 30  # columns in the text; --json has all
_NAME = 40


@click.command()
@click.argument("run_or_version", metavar="VERSION", shell_complete=completion.pipelines)
@click.argument("row", metavar="ROW.json", type=click.Path(exists=True, dir_okay=False))
@click.option("--version", type=click.IntRange(0), help="Version to use. [default: the newest]")
@answers.option
def command(run_or_version: str, row: str, version: int | None, as_json: bool) -> None:
    """Show what each column adds to the answer of VERSION for the row in ROW.json.

    VERSION is a run, such as runs/taxi, a folder of numbered versions, or a SavedModel. The row is
    a JSON object of raw columns, as in a request; columns that it lacks are missing. Contributions
    are Shapley values against training rows: with the mean over these they add up to the answer.
    """
    models = ModelFolder.of(run_or_version)
    folder = models.version(version)
    explanation = explain(folder, Path(row))
    if as_json:
        answers.show({"model": folder, **explanation.model_dump(mode="json")})
        return
    click.echo(folder)
    for line in lines(explanation):
        click.echo(line)


def explain(folder: str, row: Path) -> RowExplanation:
    """Explain the row in a file by a SavedModel.

    Raises:
      DataError: the file has no row that fits the model.
      ModelError: the SavedModel does not load, or has no training rows.
    """
    return explain_text(explainer(folder), row.read_bytes(), str(row))


def explainer(folder: str) -> RowExplainer:
    """Load a SavedModel to explain rows by it.

    Raises:
      ModelError: the SavedModel does not load, or has no training rows.
    """
    quiet_environment()
    from components import tensorflow_runtime

    tensorflow_runtime.install()
    from components import files
    from components.export import background
    from components.serve.explanation import RowExplainer
    from components.serve.model import SavedModelBundle

    logging.getLogger("tensorflow").setLevel("ERROR")  # it warns that sessions are deprecated
    with files.at_hand(folder) as local:
        rows = background.read_bytes(local)
        if rows is None:
            raise ModelError(
                "the model has no training rows to compare a row with",
                where=folder,
                expected=background.FILE,
                remedy="run the pipeline again, which exports and pushes a new version",
            )
        return RowExplainer(SavedModelBundle(local), rows, description.read(local))


def explain_text(by: RowExplainer, text: bytes, where: str) -> RowExplanation:
    """Explain a row in JSON.

    Raises:
      DataError: the text is not a row that fits the model.
    """
    from components.serve import json_text
    from components.serve.failures import RequestError

    try:
        return by.explain(json_text.loads_object(text))
    except RequestError as error:
        raise DataError(
            str(error),
            where=where,
            expected="a JSON object with a value for each raw column, as in a request",
        ) from error


def lines(explanation: RowExplanation) -> Iterator[str]:
    """Yield the explanation as text; of several classes, that of the likeliest one."""
    number = max(range(len(explanation.value)), key=lambda i: explanation.value[i])
    of_class = f" of {explanation.classes[number]}" if explanation.classes else ""
    for name, value in explanation.answer.items():
        if isinstance(value, (int, float, str)):
            yield f"{name:<14} {value}"
    title = f"{explanation.output}{of_class}"
    yield f"{title:<14} {explanation.value[number]:.4f}"
    yield ""
    shown = explanation.contributions[:_SHOWN]
    most = max((abs(each.adds[number]) for each in explanation.contributions), default=0) or 1
    labels = [_label(each) for each in shown]
    width = max([len("mean of training rows"), *map(len, labels)])
    yield f"{'mean of training rows':<{width}}  {explanation.base[number]:+10.4f}"
    for each, label in zip(shown, labels, strict=True):
        adds = each.adds[number]
        error = "" if explanation.exact else f" ± {each.error[number]:.4f}"
        yield f"{label:<{width}}  {adds:+10.4f}{error}  {_bar(adds / most)}".rstrip()
    others = explanation.contributions[_SHOWN:]
    if others:
        total = sum(each.adds[number] for each in others)
        yield f"{f'{len(others)} other columns':<{width}}  {total:+10.4f}"
    yield f"{'sum':<{width}}  {explanation.value[number]:+10.4f}"
    yield ""
    how = "exact" if explanation.exact else "± one standard error of sampling"
    yield f"Shapley values against {explanation.background} training rows, {how}"
    if explanation.slices:
        yield ""
        yield from _slice_lines(explanation)


def _slice_lines(explanation: RowExplanation) -> Iterator[str]:
    names = list(explanation.slices[0].metrics)
    width = max(len(each.name) for each in explanation.slices)
    yield "  ".join([f"{'slices of the test split':<{max(width, 24)}}", "  rows", *names])
    for each in explanation.slices:
        figures = [f"{figure_text(each.metrics.get(name)):>{len(name)}}" for name in names]
        yield "  ".join([f"{each.name:<{max(width, 24)}}", f"{each.rows:>6,}", *figures])


def _label(contribution: Contribution) -> str:
    value: Any = "(missing)" if contribution.value is None else contribution.value
    text = f"{contribution.column} = {value}"
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


def _bar(share: float) -> str:
    """Return a bar to the left or the right of a line.

    >>> _bar(-0.25), _bar(0.25)
    ('            ████│', '                │████')
    """
    size = round(abs(share) * _BAR)
    left, right = ("█" * size, "") if share < 0 else ("", "█" * size)
    return f"{left:>{_BAR}}│{right}"
