"""The wiring of a run: which stage feeds which, and the parameters of each.

(a) source → ingest → (b) examples → statistics, validate against the schema → (c) gate →
transform → (d) graph and transformed examples → train → (e) model → export → (f) SavedModel →
evaluate → (g) blessing, parity → (h) proof → push → (i) a version in the serving folder. Beside
these, explain → what the model depends on; no stage waits for it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components import files, stores
from components.expressions.patterns import check_patterns
from components.ingest.splits import protocol as splits
from components.prepare import rules
from components.sources import protocol as sources
from components.tasks import outcomes
from components.tasks import protocol as tasks
from components.transform import preprocessing
from components.transform.treatments import protocol as treatments
from pipeline import digests, plans, published, rule_nodes, source, spans
from pipeline.digest_cache import DigestCache
from pipeline.folders import Folders
from schemas import columns as schema_columns
from schemas import own_code
from schemas.catalog import SCHEMA_FILE, SPEC_FILE, Dataset
from schemas.derived import plain
from schemas.expectations import Expectations, expectations_of
from schemas.tasks import options as task_options

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

# The nodes in the order they run, each with its room in components/. Nodes that wait for the same
# nodes run in the order of their names.
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
    "explain": "explain",
    "parity": "parity",
    "push": "push",
}
NODES = tuple(ROOMS)

# The functions of further nodes of a source with spans, each with its room: see `pipeline.spans`.
SPAN_ROOMS = {
    "ingest_span": "ingest",
    "join_spans": "ingest",
    "measure_span": "validate",
    "join_statistics": "validate",
}

# Nodes that a dataset may have, after `gate` and after `train`; their rooms have their names.
SELECT, CALIBRATE = "select", "calibrate"
# The node that a dataset may leave out.
EXPLAIN = "explain"

Nodes = Mapping[str, Any]  # TFX components by id


def check_source(dataset: Dataset) -> None:
    """Check that the source exists and has the columns, as ingest does again later.

    A wrong header or footer is reported before anything heavy is imported.

    Raises:
      DataError: there is no file or table, or one is empty, cannot be read or lacks a column.
      ConfigError: the source's options contradict each other, DuckDB cannot compute a rule of
        `prepare.where` or of the validation, a pattern of `derive` is not a regular expression, or
        features.py imports what is not installed.
      StoreError: the store does not answer, or refuses.
    """
    rules.RowRules(dataset.spec.prepare, dataset.columns)
    check_patterns(dataset.derived, where=str(dataset.folder / SPEC_FILE))
    _code(dataset)
    reader = source.reader_of(dataset)
    for pattern in filter(files.in_store, dataset.source_patterns):
        stores.check(pattern)
    look = reader.parts if source.table_reader(dataset) is None else reader.check
    for path in source.paths_of(dataset):
        look(path)
    if dataset.spec.validation.rules:
        rule_nodes.check(dataset)


def nodes(dataset: Dataset) -> tuple[str, ...]:
    """Return the ids of the nodes in the order they run, with those that the dataset adds."""
    added = {"gate": SELECT} if dataset.spec.selection.on else {}
    added |= {"train": CALIBRATE} if dataset.spec.fits_answers else {}
    kept = [node for node in NODES if node != EXPLAIN or dataset.spec.explain.on]
    usual = [(node, *([added[node]] if node in added else [])) for node in kept]
    return spans.nodes(dataset, tuple(itertools.chain(*usual)))


def pipeline_id(name: str, taken: Collection[str] = NODES) -> str:
    """Return the name under which TFX records a pipeline whose nodes have the names `taken`.

    TFX refuses a pipeline that has the name of one of its nodes. All others keep their own name,
    by which their earlier runs are found.
    """
    return f"{name}-pipeline" if name in taken else name


def build(
    dataset: Dataset,
    folders: Folders,
    known: DigestCache,
    *,
    run_id: str,
    allow_anomalies: bool = False,
) -> Pipeline:
    """Wire the stages of a dataset into a TFX pipeline whose cache is on.

    Every node receives only the part of pipeline.yaml that it needs, so that a changed line re-runs
    only what depends on it. `run_id` makes push run each time; no other node receives it. `known`
    has digests of source files that were read before.
    """
    from pipeline.cached_pipeline import cached

    shared = _Shared.of(dataset)
    data = _data(shared, dataset, folders, known, allow_anomalies)
    model = _model(shared, dataset, data)
    verdict = _verdict(shared, dataset, folders, run_id, data, model)
    name = pipeline_id(dataset.spec.name, nodes(dataset))
    return cached(name, folders, [*data.values(), *model.values(), *verdict.values()])


@dataclass(frozen=True)
class _Shared:
    """Parameters that several nodes share, as JSON, and the digest of each node's code."""

    columns: str
    features: str
    label: str
    answers: str
    expectations: str
    settings: str
    code: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset) -> _Shared:
        label = dataset.spec.label
        return cls(
            columns=schema_columns.dumps(dataset.columns),
            features=features_of(dataset),
            label=label.model_dump_json(exclude=set(label.EVALUATION_ONLY)),
            answers=dataset.spec.export.model_dump_json(),
            expectations=_expectations(dataset).model_dump_json(),
            settings=dataset.spec.examples.model_dump_json(),
            code={
                function: digests.code(
                    f"components.{room}.component", function, kinds=_kinds(function, dataset)
                )
                for function, room in _rooms(dataset).items()
            },
        )


def _code(dataset: Dataset) -> dict[str, Any]:
    """Return features.py, if it is used, with the versions of the libraries that it imports."""
    if not dataset.code:
        return {}
    libraries = digests.libraries(dataset.code, str(dataset.folder / own_code.FILE))
    return {"code": {"text": dataset.code, "libraries": libraries}}


def features_of(dataset: Dataset) -> str:
    """Return what `transform` receives of pipeline.yaml, as JSON."""
    preprocessed = {"features", "crosses", "combinations", "missing", "label"}
    unread = set(dataset.spec.label.EVALUATION_ONLY)
    sections = dataset.spec.model_dump(mode="json", include=preprocessed, exclude={"label": unread})
    return json.dumps(sections | {"derived": plain(dataset.derived)} | _code(dataset))


def _rooms(dataset: Dataset) -> dict[str, str]:
    """Return the functions of the nodes of a dataset, each with its room."""
    added = {SELECT: SELECT} if dataset.spec.selection.on else {}
    added |= {CALIBRATE: CALIBRATE} if dataset.spec.fits_answers else {}
    return ROOMS | added | (SPAN_ROOMS if dataset.spans else {})


def _kinds(node: str, dataset: Dataset) -> dict[str, list[str]]:
    """Return the modules of the kinds chosen, by the module that finds them by their names."""
    # parity's batches are in Parquet whatever the source is
    read = "parquet" if node == "parity" else dataset.spec.source.format
    return {
        sources.__name__: [sources.module_of(read), *_derived_reader(dataset)],
        splits.__name__: [splits.module_of(dataset.spec.splits.by)],
        rules.__name__: [rules.CONDITIONS] if dataset.spec.prepare.where else [],
        treatments.__name__: [treatments.module_of(kind) for kind in dataset.spec.treatment_kinds],
        preprocessing.__name__: [
            *([preprocessing.DERIVED_COLUMNS] if dataset.derived else []),
            *([preprocessing.FILLED_COLUMNS] if dataset.spec.missing else []),
        ],
        tasks.__name__: [tasks.module_of(dataset.spec.label.task)],
        outcomes.__name__: outcomes.modules_of(dataset.spec.label.task),
        task_options.__name__: [type(dataset.spec.label).__module__],
    }


def _derived_reader(dataset: Dataset) -> list[str]:
    return [sources.DERIVED] if any(column.is_derived for column in dataset.columns) else []


def _expectations(dataset: Dataset) -> Expectations:
    where = str(dataset.folder / SCHEMA_FILE)
    return expectations_of(schema_columns.parse_schema(dataset.schema_text, where=where))


def _data(
    shared: _Shared, dataset: Dataset, folders: Folders, known: DigestCache, allow_anomalies: bool
) -> Nodes:
    """Build the nodes from the source to examples that passed the gate."""
    from components.validate.component import gate, import_schema, validate
    from pipeline import span_nodes

    present = source.fingerprint(dataset, known)
    read = _ingest(shared, dataset, known, present)
    ingested = read["ingest"]
    imported = import_schema(text=dataset.schema_text, code=shared.code["import_schema"])
    examples, schema = ingested.outputs["examples"], imported.outputs["schema"]
    found = _statistics(shared, dataset, read, schema)
    measured = found["statistics"]
    validated = validate(
        statistics=measured.outputs["statistics"],
        schema=schema,
        examples=examples,
        code=shared.code["validate"],
        **rule_nodes.parameters(dataset, folders, present),
        published=published.statistics(folders, present),
        **span_nodes.compared(dataset, found),
    )
    gated = gate(
        statistics=measured.outputs["statistics"],
        plan=plans.of_treatments(dataset),
        anomalies=validated.outputs["anomalies"],
        examples=examples,
        validation=dataset.spec.validation.model_dump_json(exclude={"rules"}),
        allow_anomalies=int(allow_anomalies),
        code=shared.code["gate"],
    )
    return {
        **read,
        **found,
        "import_schema": imported,
        "validate": validated,
        "gate": gated,
        **_selected(shared, dataset, examples, measured, gated),
    }


def _selected(shared: _Shared, dataset: Dataset, examples: Any, measured: Any, gated: Any) -> Nodes:
    """Build the node that selects columns, if pipeline.yaml wants it."""
    if not dataset.spec.selection.on:
        return {}
    from components.select.component import select

    selected = select(
        examples=examples,
        statistics=measured.outputs["statistics"],
        plan=plans.of_selection(dataset),
        label=shared.label,
        code=shared.code[SELECT],
    )
    selected.add_upstream_node(gated)
    return {SELECT: selected}


def _ingest(shared: _Shared, dataset: Dataset, known: DigestCache, present: str) -> Nodes:
    """Build `ingest`, and the nodes of spans whose examples it joins if there are any.

    `present` is the fingerprint of the whole source.
    """
    from components.ingest.component import ingest

    parameters = {
        "columns": shared.columns,
        "splits": dataset.spec.splits.model_dump_json(),
        "label": shared.label,
        "prepare": dataset.spec.prepare.model_dump_json(),
    }
    if dataset.spans:
        from pipeline import span_nodes

        own = [source.fingerprint(spans.alone(dataset, span), known) for span in dataset.spans]
        return span_nodes.ingest(dataset, parameters, shared.settings, own, present, shared.code)
    ingested = ingest(
        source=dataset.spec.source.model_dump_json(),
        patterns=json.dumps(dataset.source_patterns),
        fingerprint=present,
        settings=shared.settings,
        code=shared.code["ingest"],
        **parameters,
    )
    return {"ingest": ingested}


def _statistics(shared: _Shared, dataset: Dataset, read: Nodes, schema: Any) -> Nodes:
    """Build `statistics`, and the nodes of spans whose statistics it merges if there are any."""
    from components.validate.component import statistics
    from pipeline import span_nodes

    if dataset.spans:
        return span_nodes.statistics(dataset, read, schema, shared.label, shared.code)
    measured = statistics(
        examples=read["ingest"].outputs["examples"],
        schema=schema,
        label=shared.label,
        code=shared.code["statistics"],
    )
    return {"statistics": measured}


def _model(shared: _Shared, dataset: Dataset, data: Nodes) -> Nodes:
    """Build the nodes from examples to a SavedModel."""
    from components.export.component import export
    from components.train.component import train
    from components.transform.component import transform

    spec = dataset.spec
    examples = data["ingest"].outputs["examples"]
    transformed = transform(
        examples=examples,
        columns=shared.columns,
        features=shared.features,
        settings=shared.settings,
        code=shared.code["transform"],
        **({"selection": data[SELECT].outputs["selection"]} if SELECT in data else {}),
        **_caps(dataset, data),
    )
    transformed.add_upstream_node(data["gate"])  # no training on data that the gate refuses
    graph = transformed.outputs["transform_graph"]
    trained = train(
        transformed_examples=transformed.outputs["transformed_examples"],
        transform_graph=graph,
        examples=examples,
        label=shared.label,
        model_spec=spec.model.model_dump_json(),
        settings=shared.settings,
        code=shared.code["train"],
    )
    fitted = _calibrated(shared, dataset, transformed, trained)
    exported = export(
        model=_final({"train": trained, **fitted}),
        transform_graph=graph,
        examples=examples,
        columns=shared.columns,
        label=shared.label,
        model_name=spec.name,
        answers=shared.answers,
        # without warnings, the export does not depend on domains
        expectations=shared.expectations
        if spec.export.warnings
        else Expectations().model_dump_json(),
        code=shared.code["export"],
    )
    return {"transform": transformed, "train": trained, **fitted, "export": exported}


def _caps(dataset: Dataset, data: Nodes) -> dict[str, Any]:
    """Return what `transform` needs to lower what would not fit, if pipeline.yaml wants it."""
    if dataset.spec.validation.preflight != "cap":
        return {}
    statistics = data["statistics"].outputs["statistics"]
    return {"statistics": statistics, "plan": plans.of_treatments(dataset, places=False)}


def _calibrated(shared: _Shared, dataset: Dataset, transformed: Any, trained: Any) -> Nodes:
    """Build the node that calibrates the trained model, if pipeline.yaml wants it."""
    if not dataset.spec.fits_answers:
        return {}
    from components.calibrate.component import calibrate

    fitted = calibrate(
        transformed_examples=transformed.outputs["transformed_examples"],
        trained=trained.outputs["model"],
        label=shared.label,
        calibration=dataset.spec.calibration.model_dump_json(),
        answers=shared.answers,
        code=shared.code[CALIBRATE],
    )
    return {CALIBRATE: fitted}


def _final(model: Nodes) -> Any:
    """Return the trained model that is exported: of the last node that made one."""
    return model[CALIBRATE if CALIBRATE in model else "train"].outputs["model"]


def _verdict(
    shared: _Shared, dataset: Dataset, folders: Folders, run_id: str, data: Nodes, model: Nodes
) -> Nodes:
    """Build the nodes from a SavedModel to a served version, if the model is good and proven."""
    from components.evaluate.component import evaluate
    from components.parity.component import parity
    from components.push.component import push

    examples = data["ingest"].outputs["examples"]
    exported = model["export"].outputs["exported"]
    evaluated = evaluate(
        examples=examples,
        model=exported,
        evaluation_spec=dataset.spec.evaluation.model_dump_json(),
        columns=shared.columns,
        label=dataset.spec.label.model_dump_json(),
        serving_dir=folders.serving,
        code=shared.code["evaluate"],
    )
    explained = _explained(shared, dataset, data, model)
    proven = parity(
        examples=examples,
        transform_graph=model["transform"].outputs["transform_graph"],
        trained=_final(model),
        exported=exported,
        columns=shared.columns,
        label=shared.label,
        answers=shared.answers,
        code=shared.code["parity"],
    )
    pushed = push(
        exported=exported,
        blessing=evaluated.outputs["blessing"],
        proof=proven.outputs["proof"],
        evaluation=evaluated.outputs["evaluation"],
        trained=_final(model),
        transform_graph=model["transform"].outputs["transform_graph"],
        examples=examples,
        model_name=dataset.spec.name,
        features=shared.features,
        answers=shared.answers,
        columns=shared.columns,
        expectations=shared.expectations,
        digests=json.dumps(
            digests.of_sources(dataset.spec, dataset.schema_text, shared.code, dataset.code)
        ),
        serving_dir=folders.serving,
        run_id=run_id,
        code=shared.code["push"],
    )
    return {"evaluate": evaluated, **explained, "parity": proven, "push": pushed}


def _explained(shared: _Shared, dataset: Dataset, data: Nodes, model: Nodes) -> Nodes:
    """Build the node that explains the exported model, unless pipeline.yaml leaves it out."""
    if not dataset.spec.explain.on:
        return {}
    from components.explain.component import explain

    explained = explain(
        examples=data["ingest"].outputs["examples"],
        transform_graph=model["transform"].outputs["transform_graph"],
        exported=model["export"].outputs["exported"],
        columns=shared.columns,
        label=shared.label,
        options=dataset.spec.explain.model_dump_json(),
        code=shared.code[EXPLAIN],
    )
    return {EXPLAIN: explained}
