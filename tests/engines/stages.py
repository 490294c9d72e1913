"""The stages that read and write rows, one after the other on a runner, into plain folders."""

from __future__ import annotations

import contextlib
import contextvars
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline import engines, source
from pipeline.folders import Folders
from pipeline.runners import Choice
from schemas.catalog import Dataset
from schemas.columns import parse_schema
from schemas.derived import plain


@dataclass(frozen=True)
class Made:
    """The paths of the results."""

    examples: Path
    statistics: Path
    graph: Path
    transformed: Path

    @classmethod
    def below(cls, folder: Path) -> Made:
        return cls(*(folder / name for name in ("examples", "statistics", "graph", "transformed")))

    @classmethod
    def by(cls, folders: Folders) -> Made:
        """Return the results of a whole run, on a disk."""
        return cls.among(Path(folders.artifacts))

    @classmethod
    def among(cls, artifacts: Path) -> Made:
        """Return the results of a whole run, in the folder of its artifacts."""

        def artifact(node: str, channel: str) -> Path:
            (path,) = (artifacts / node / channel).iterdir()
            return path

        return cls(
            artifact("ingest", "examples"),
            artifact("statistics", "statistics"),
            artifact("transform", "transform_graph"),
            artifact("transform", "transformed_examples"),
        )


def make(dataset: Dataset, on: Choice, folder: Path) -> Made:
    """Ingest, measure and transform a dataset on a runner."""
    made = Made.below(folder)
    engines.check(on)
    with engines.running(on, "test"):
        ingest(dataset, made)
        measure(dataset, made)
        transform(dataset, made, made.examples)
    return made


def ingest(dataset: Dataset, made: Made) -> None:
    from components.ingest.ingest import ingest

    ingest(
        source=dataset.spec.source,
        paths=source.paths_of(dataset),
        columns=dataset.columns,
        splits=dataset.spec.splits,
        label=dataset.spec.label,
        settings=dataset.spec.examples,
        output=str(made.examples),
    )


def measure(dataset: Dataset, made: Made) -> None:
    from components.validate.statistics import generate

    schema = parse_schema(dataset.schema_text, where="schema.pbtxt")
    generate(examples=str(made.examples), schema=schema, output=str(made.statistics))


def transform(dataset: Dataset, made: Made, examples: Path) -> None:
    made.graph.mkdir(parents=True)
    transform_between(dataset, str(examples), str(made.graph), str(made.transformed))


def transform_between(dataset: Dataset, examples: str, graph: str, transformed: str) -> None:
    from components.transform.preprocessing import Preprocessing
    from components.transform.transform import transform

    spec = dataset.spec
    sections = spec.model_dump(mode="json") | {"derived": plain(dataset.derived)}
    transform(
        examples=examples,
        columns=dataset.columns,
        preprocessing=Preprocessing.loads(json.dumps(sections)),
        settings=spec.examples,
        graph=graph,
        transformed=transformed,
    )


def states(folders: Folders) -> dict[str, str]:
    """Return the state of each stage in the newest run."""
    newest = max(folders.runs.iterdir())
    summary = json.loads((newest / "summary.json").read_text(encoding="utf-8"))
    return {stage["name"]: stage["state"] for stage in summary["stages"]}


@contextlib.contextmanager
def in_background(stage: Callable[..., None], *arguments: object) -> Iterator[Future[None]]:
    """Run a stage beside the block; raise its failure at the end of the block."""
    context = contextvars.copy_context()  # has the runner of the stage
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(context.run, stage, *arguments)
        yield job
        job.result(300)


def broken(examples: Path, folder: Path) -> Path:
    """Copy files of examples into `folder` with a valid end and a damaged middle."""
    for path in examples.glob("Split-*/*.parquet"):
        copy = folder / path.relative_to(examples)
        copy.parent.mkdir(parents=True)
        whole = path.read_bytes()
        # the footer is valid, but the content is not
        copy.write_bytes(whole[:4] + bytes(len(whole) // 2 - 4) + whole[len(whole) // 2 :])
    return folder
