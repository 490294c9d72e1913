"""Which stage feeds which, and what each is told: the wiring of the run and nothing else.

(a) source → ingest → (b) examples → statistics, validate against the schema → (c) gate →
transform → (d) graph and transformed examples → train → (e) model → export → (f) SavedModel →
evaluate → (g) blessing, parity → (h) proof → push → (i) a version in the serving folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components import files, stores
from components.ingest.splits import protocol as splits
from components.sources import protocol as sources
from components.sources.found import source_files
from components.sources.protocol import Selection, open_reader
from components.tasks import protocol as tasks
from components.transform.treatments import protocol as treatments
from pipeline import digests
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from schemas import columns as schema_columns
from schemas.catalog import SCHEMA_FILE, SPEC_FILE, Dataset
from schemas.expectations import Expectations, expectations_of

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

# The nodes in the order they run, each with the room of components/ that it lives in. Nodes that
# wait for the same ones run in the order of their names.
ROOMS = {
    "import_schema": "validate",
    "ingest": "ingest",
    "statistics": "validate",
    "validate": "validate",
    "gate": "validate",
    "transform": "transform",
    "train": "train",
    "export": "export",
    "evaluate": "evaluate",
    "parity": "parity",
    "push": "push",
}
NODES = tuple(ROOMS)

Nodes = Mapping[str, Any]  # TFX components by id


def check_source(dataset: Dataset) -> None:
    """Hold that the source's files are there and have the columns, as ingest will again.

    What is wrong with a header or footer is said before anything heavy is imported.

    Raises:
      DataError: no file, an empty one, or one that cannot be read or lacks a column.
      ConfigError: the source's options do not fit each other.
      StoreError: the store that it lies in does not answer, or refuses.
    """
    wanted = Selection(dataset.columns, required=dataset.spec.label.columns)
    reader = open_reader(dataset.spec.source, wanted)
    if files.in_store(dataset.source_path):
        stores.check(dataset.source_path)
    for path in source_paths(dataset):
        reader.parts(path)


def source_paths(dataset: Dataset) -> list[str]:
    """Return the source's files, sorted.

    Raises:
      DataError: there is none.
    """
    return source_files(
        dataset.source_path,
        named=dataset.spec.source.path,
        remedy=f"correct source.path in {dataset.folder / SPEC_FILE}",
    )


def pipeline_id(name: str) -> str:
    """Return the name that TFX records a pipeline under.

    TFX refuses a pipeline that is called like one of its nodes. Others keep their own name, by
    which their earlier runs are found.
    """
    return f"{name}-pipeline" if name in NODES else name


def build(
    dataset: Dataset,
    folders: Folders,
    known: DigestCache,
    *,
    run_id: str,
    allow_anomalies: bool = False,
) -> Pipeline:
    """Wire the stages of a dataset into a TFX pipeline whose cache is on.

    Every node is told the part of pipeline.yaml that it needs and no more, so that a changed line
    runs again what depends on it. `run_id` makes push run each time; nothing else knows it. `known`
    has what the source's files hold, as far as they were read before.
    """
    from tfx.orchestration import metadata
    from tfx.orchestration.pipeline import Pipeline

    told = _Told.of(dataset)
    data = _data(told, dataset, known, allow_anomalies)
    model = _model(told, dataset, data)
    verdict = _verdict(told, dataset, folders, run_id, data, model)
    return Pipeline(
        pipeline_name=pipeline_id(dataset.spec.name),
        pipeline_root=folders.artifacts,
        components=[*data.values(), *model.values(), *verdict.values()],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folders.metadata)
        ),
    )


@dataclass(frozen=True)
class _Told:
    """What several nodes are told, as JSON, and the digest of each one's code."""

    columns: str
    features: str
    label: str
    answers: str
    expectations: str
    settings: str
    code: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset) -> _Told:
        preprocessed = {"features", "crosses", "label"}
        return cls(
            columns=schema_columns.dumps(dataset.columns),
            features=json.dumps(dataset.spec.model_dump(mode="json", include=preprocessed)),
            label=dataset.spec.label.model_dump_json(),
            answers=dataset.spec.export.model_dump_json(),
            expectations=_expectations(dataset).model_dump_json(),
            settings=dataset.spec.examples.model_dump_json(),
            code={
                node: digests.code(
                    f"components.{room}.component", node, modules=_modules(node, dataset)
                )
                for node, room in ROOMS.items()
            },
        )


def _modules(node: str, dataset: Dataset) -> tuple[str, ...]:
    """Return the modules that a node finds by their names: those of the kinds chosen."""
    modules = []
    formats = {
        "ingest": dataset.spec.source.format,
        "parity": "parquet",
    }  # which its batches are in
    if node in formats:
        modules.append(sources.module_of(formats[node]))
    if node == "ingest":
        modules.append(splits.module_of(dataset.spec.splits.by))
    reached = digests.reachable(f"components.{ROOMS[node]}.component", node)
    if tasks.__name__ in reached:
        modules.append(tasks.module_of(dataset.spec.label.task))
    if treatments.__name__ in reached:
        modules += [treatments.module_of(kind) for kind in dataset.spec.treatment_kinds]
    return tuple(modules)


def _expectations(dataset: Dataset) -> Expectations:
    where = str(dataset.folder / SCHEMA_FILE)
    return expectations_of(schema_columns.parse_schema(dataset.schema_text, where=where))


def _data(told: _Told, dataset: Dataset, known: DigestCache, allow_anomalies: bool) -> Nodes:
    """From source to examples that the gate lets through."""
    from components.ingest.component import ingest
    from components.validate.component import gate, import_schema, statistics, validate

    ingested = ingest(
        source=dataset.spec.source.model_dump_json(),
        pattern=dataset.source_path,
        fingerprint=digests.source(source_paths(dataset), known),
        columns=told.columns,
        splits=dataset.spec.splits.model_dump_json(),
        label=told.label,
        settings=told.settings,
        code=told.code["ingest"],
    )
    imported = import_schema(text=dataset.schema_text, code=told.code["import_schema"])
    examples, schema = ingested.outputs["examples"], imported.outputs["schema"]
    measured = statistics(examples=examples, schema=schema, code=told.code["statistics"])
    validated = validate(
        statistics=measured.outputs["statistics"],
        schema=schema,
        examples=examples,
        code=told.code["validate"],
    )
    gated = gate(
        anomalies=validated.outputs["anomalies"],
        examples=examples,
        validation=dataset.spec.validation.model_dump_json(),
        allow_anomalies=int(allow_anomalies),
        code=told.code["gate"],
    )
    return {
        "ingest": ingested,
        "import_schema": imported,
        "statistics": measured,
        "validate": validated,
        "gate": gated,
    }


def _model(told: _Told, dataset: Dataset, data: Nodes) -> Nodes:
    """From examples to a SavedModel."""
    from components.export.component import export
    from components.train.component import train
    from components.transform.component import transform

    spec = dataset.spec
    examples = data["ingest"].outputs["examples"]
    transformed = transform(
        examples=examples,
        columns=told.columns,
        features=told.features,
        settings=told.settings,
        code=told.code["transform"],
    )
    transformed.add_upstream_node(data["gate"])  # nothing is learnt from data that it refuses
    graph = transformed.outputs["transform_graph"]
    trained = train(
        transformed_examples=transformed.outputs["transformed_examples"],
        transform_graph=graph,
        label=told.label,
        model_spec=spec.model.model_dump_json(),
        settings=told.settings,
        code=told.code["train"],
    )
    exported = export(
        model=trained.outputs["model"],
        transform_graph=graph,
        examples=examples,
        columns=told.columns,
        label=told.label,
        model_name=spec.name,
        answers=told.answers,
        # without warnings a changed domain changes no export
        expectations=told.expectations
        if spec.export.warnings
        else Expectations().model_dump_json(),
        code=told.code["export"],
    )
    return {"transform": transformed, "train": trained, "export": exported}


def _verdict(
    told: _Told, dataset: Dataset, folders: Folders, run_id: str, data: Nodes, model: Nodes
) -> Nodes:
    """From a SavedModel to a version that is served, if it is good and true."""
    from components.evaluate.component import evaluate
    from components.parity.component import parity
    from components.push.component import push

    examples = data["ingest"].outputs["examples"]
    exported = model["export"].outputs["exported"]
    evaluated = evaluate(
        examples=examples,
        model=exported,
        evaluation_spec=dataset.spec.evaluation.model_dump_json(),
        columns=told.columns,
        label=told.label,
        serving_dir=folders.serving,
        code=told.code["evaluate"],
    )
    proven = parity(
        examples=examples,
        transform_graph=model["transform"].outputs["transform_graph"],
        trained=model["train"].outputs["model"],
        exported=exported,
        columns=told.columns,
        label=told.label,
        answers=told.answers,
        code=told.code["parity"],
    )
    pushed = push(
        exported=exported,
        blessing=evaluated.outputs["blessing"],
        proof=proven.outputs["proof"],
        evaluation=evaluated.outputs["evaluation"],
        trained=model["train"].outputs["model"],
        transform_graph=model["transform"].outputs["transform_graph"],
        examples=examples,
        model_name=dataset.spec.name,
        features=told.features,
        answers=told.answers,
        columns=told.columns,
        expectations=told.expectations,
        digests=json.dumps(digests.of_sources(dataset.spec, dataset.schema_text, told.code)),
        serving_dir=folders.serving,
        run_id=run_id,
        code=told.code["push"],
    )
    return {"evaluate": evaluated, "parity": proven, "push": pushed}
