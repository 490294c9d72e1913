"""`skewless run --select importance`: trains, drops the columns that do not help, trains again.

The first run ends when its model is explained. The second one is a run like any other, whose
`selection.unhelpful` names the columns that the explanation found to be of no help.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection

import click

from components.explain.explained import Explained, Unhelpful
from pipeline import dag, lineage
from pipeline.folders import Folders
from pipeline.stage_choice import WHOLE, StageChoice
from pipeline.summary import Summary
from schemas.catalog import Dataset
from schemas.errors import ConfigError


def run_selecting(
    start: Callable[[Dataset, StageChoice], Summary],
    dataset: Dataset,
    *,
    output: str = "runs",
    quiet: bool = False,
    stages: StageChoice = WHOLE,
) -> Summary:
    """Run a dataset twice, the second time without the columns that do not help.

    Args:
      start: runs some stages of a dataset, as `pipeline.run.run` does.
      dataset: the dataset.
      output: the folder of pipelines.
      quiet: do not print what is dropped.
      stages: those that the user chose, which have to be all.

    Raises:
      ConfigError: not all stages are chosen, or none explains the first model.
      SkewlessError: a run failed, or the second one's model is not blessed or not proven.
    """
    if stages != WHOLE:
        raise ConfigError(
            "--select is given with --from, --until or --only",
            expected="two runs of all stages",
            remedy="leave one out",
        )
    if not dataset.spec.explain.on:
        raise ConfigError(
            "--select importance needs the stage that explains the model",
            where=dataset.place_of(("explain",)),
            remedy="remove explain: off",
        )
    first = start(dataset, StageChoice(until=dag.EXPLAIN))
    found = _explained(first, Folders.of(output, dataset.spec.name))
    found = without_needed(found, dataset.spec.model.monotone)
    for line in () if quiet else in_words(found):
        click.echo(line)
    return start(without(dataset, found), WHOLE)


def _explained(summary: Summary, folders: Folders) -> Unhelpful:
    folders.fetch()
    executions = lineage.read_run(folders.metadata, summary.run_id)
    return Explained.read(executions[dag.EXPLAIN].outputs["explanation"].uri).unhelpful


def without_needed(found: Unhelpful, needed: Collection[str]) -> Unhelpful:
    """Return the columns of no help except those that the model's options name."""
    left = [each for each in found.columns if set(each.columns).isdisjoint(needed)]
    return found.model_copy(update={"columns": tuple(left)})


def _costs(found: Unhelpful) -> dict[str, float | None]:
    return {name: each.drop for each in found.columns for name in each.columns}


def without(dataset: Dataset, found: Unhelpful) -> Dataset:
    """Return the dataset with a selection that drops the columns of no help."""
    costs = _costs(found)
    selection = dataset.spec.selection
    changed = selection.model_copy(update={"unhelpful": selection.unhelpful | costs})
    spec = dataset.spec.model_copy(update={"selection": changed})
    return dataclasses.replace(dataset, spec=spec)


def in_words(found: Unhelpful) -> list[str]:
    """Return what is dropped, and how pipeline.yaml keeps it so."""
    costs = _costs(found)
    if not costs or found.together is None:
        return ["", "selection      every column helps; the model is trained on all of them", ""]
    cost = found.together
    costly = f"costs {cost.drop:.2g} ({cost.low:.2g} to {cost.high:.2g})"
    shown = ", ".join(f"{json.dumps(name)}: {_short(drop)}" for name, drop in costs.items())
    return [
        "",
        f"selection      {len(costs)} columns are dropped: permuting them together {costly}",
        "to keep it     write in pipeline.yaml:",
        f"selection: {{unhelpful: {{{shown}}}}}",
        "",
    ]


def _short(drop: float | None) -> str:
    return "null" if drop is None else f"{drop:.3g}"
