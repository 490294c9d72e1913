"""`skewless tune`: searches for better options of the model, on the examples of the newest run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import completion
from schemas.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from pipeline.folders import Folders
    from pipeline.lineage import Artifact
    from schemas.catalog import Dataset
    from schemas.model import Model

TUNED, TRIALS = "tuned.yaml", "trials.json"
_SHOWN = 10  # trials


@click.command()
@click.argument("dataset", metavar="DATASET", shell_complete=completion.datasets)
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder of runs, with a run of DATASET in it; the trials are kept there, too.",
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=10, show_default=True
)
@click.option("--trials", type=click.IntRange(1), help="How many at most, of this command.")
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True)
def command(dataset: str, output: str, minutes: float, trials: int | None, seed: int) -> None:
    """Search for options of the model of DATASET with a smaller loss on eval.

    All trials share the transformed examples of the newest run. They are kept: the same command
    goes on with them, and may run several times at once. The best options are written to
    tuned.yaml in ROOT, for `skewless run DATASET --model FILE`.
    """
    from components.compat import quiet_environment
    from pipeline.folders import Folders
    from schemas import catalog

    if importlib.util.find_spec("optuna") is None:
        raise ConfigError(
            "tuning needs Optuna, which is not installed", remedy="pip install 'skewless[tune]'"
        )
    read = catalog.load(dataset)
    folders = Folders.of(output, read.spec.name)
    quiet_environment()
    inputs = _inputs(read, folders)
    study, base = _search(read, folders, inputs, minutes, trials, seed)
    report = "\n".join(_lines(study, base))
    place = folders.root / "tune"
    (place / "report.txt").write_text(report + "\n", encoding="utf-8")
    path = _write(study, place)
    click.echo(f"\n{report}\n\nnext       skewless run {dataset} --model {path}")


def _inputs(dataset: Dataset, folders: Folders) -> dict[str, Artifact]:
    """Return the artifacts that all trials share, those of the newest run.

    Raises:
      ConfigError: there is no such run, or its features are others than those of pipeline.yaml.
    """
    from pipeline import dag, lineage

    where, remedy = folders.place, f"skewless run {dataset.folder}"
    for own in sorted(folders.runs.glob("*"), reverse=True) if folders.metadata.exists() else ():
        executions = lineage.read_run(folders.metadata, own.name)
        whole = {n for n, e in executions.items() if e.state in ("COMPLETE", "CACHED")}
        if {"ingest", "transform"} <= whole:
            break
    else:
        raise ConfigError(
            "there is no run whose examples could be used", where=where, remedy=remedy
        )
    used = lineage.latest_parameters(folders.metadata, "transform") or {}
    if used.get("features") != dag.features_of(dataset):
        raise ConfigError(
            "the newest run has other features than pipeline.yaml", where=where, remedy=remedy
        )
    return {"examples": executions["ingest"].outputs["examples"]} | dict(
        executions["transform"].outputs
    )


def _search(
    dataset: Dataset,
    folders: Folders,
    inputs: dict[str, Artifact],
    minutes: float,
    trials: int | None,
    seed: int,
) -> tuple[Study, Model]:
    from components import lean_imports

    lean_imports.load(lean_imports.TENSORFLOW)
    from components.ingest.counts import Counts
    from components.tune.objective import Objective
    from components.tune.search import open_study, search

    counts, task = Counts.read(inputs["examples"].uri), dataset.spec.label
    examples, graph = inputs["transformed_examples"].uri, inputs["transform_graph"].uri
    objective = Objective(examples, graph, task, {} if counts is None else counts.sampled)
    base = dataset.spec.model.model_copy(update={"per_fold": False})
    common = json.dumps([examples, graph, task.model_dump_json(), base.model_dump_json()])
    place = folders.root / "tune"
    place.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(common.encode()).hexdigest()[:16]
    study = open_study(str(place / "trials.sqlite"), name, seed)
    click.echo(f"{len(study.get_trials(deepcopy=False))} trials so far, of {objective.rows:,} rows")
    search(
        study,
        objective,
        base,
        objective.rows,
        seconds=60 * minutes,
        trials=trials,
        ended=lambda trial: click.echo(_line(trial)),
    )
    return study, base


def _line(trial: FrozenTrial) -> str:
    """Return how a trial ended."""
    from components.tune.search import reason_of

    state = trial.state.name
    if state == "COMPLETE":
        return f"trial {trial.number:<4} {trial.value:.5f}"
    if state == "PRUNED":
        return f"trial {trial.number:<4} ended early after {len(trial.intermediate_values)} rounds"
    return f"trial {trial.number:<4} failed: {reason_of(trial)}"


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial as the report of a run with the best one's options shows it."""
    value = trial.value if trial.state.name == "COMPLETE" else None
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": None if value is None or not math.isfinite(value) else value,
        "parameters": trial.params,
    }


def _lines(study: Study, base: Model) -> Iterator[str]:
    """Yield the report: the best trials, how the best loss fell, and what mattered."""
    from components.tune.search import finished, importances

    best = finished(study)
    ended: dict[str, int] = {}
    for trial in study.get_trials(deepcopy=False):
        ended[trial.state.name] = ended.get(trial.state.name, 0) + 1
    yield "trials     " + ", ".join(f"{n} {state.lower()}" for state, n in sorted(ended.items()))
    yield "\nloss on eval  trial  options"
    for trial in best[:_SHOWN]:
        options = ", ".join(f"{k} {_short(v)}" for k, v in trial.params.items())
        yield f"{trial.value:<12.5f}  {trial.number:<5}  {options or 'those of pipeline.yaml'}"
    yield "\nbest so far after trial"
    least = float("inf")
    for trial in sorted(best, key=lambda each: each.number):
        if trial.value is not None and trial.value < least:
            least = trial.value
            yield f"{trial.number:<5}  {least:.5f}"
    shares = importances(study)
    if shares:
        yield "\nshare of the differences in loss, by option"
        for name, share in shares.items():
            yield f"{share:<6.1%} {'#' * round(40 * share):<40} {name}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(study: Study, place: Path) -> Path:
    """Write the options of the best trial; return the file.

    Raises:
      ModelError: no trial ended with a loss.
    """
    import yaml

    from components import files
    from components.tune.search import finished, model_of

    best = finished(study)
    if not best:
        raise ModelError(
            "no trial ended with a finite loss",
            where=str(place / "trials.sqlite"),
            remedy="see the reasons above; give more --minutes, or lower model.deep.learning_rate",
        )
    options = model_of(best[0]).model_dump(mode="json")
    text = f"# The options of trial {best[0].number}, whose loss on eval is {best[0].value:.6g}.\n"
    path = place / TUNED
    trials = {"model": options, "trials": [_trial(each) for each in study.get_trials()]}
    files.write_whole(str(place / TRIALS), json.dumps(trials))
    files.write_whole(str(path), text + yaml.safe_dump({"model": options}, sort_keys=False))
    return path
