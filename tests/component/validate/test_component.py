"""The four nodes as TFX runs them, one after the other, over existing examples."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Examples

from components.ingest.counts import Counts
from components.validate import component as nodes
from components.validate.caps import FeaturePlan
from components.validate.findings import RULE, Findings
from schemas.columns import dumps, read_columns
from schemas.errors import DataError
from schemas.tasks.regression import Regression
from schemas.validation import Validation

pytestmark = pytest.mark.component

COMPLETE = metadata_store_pb2.Execution.COMPLETE
CACHED = metadata_store_pb2.Execution.CACHED
FAILED = metadata_store_pb2.Execution.FAILED


@pytest.fixture
def run(tmp_path: Path, schema_text: str) -> Callable[..., None]:
    """Run the nodes over a folder of examples."""

    def _run(examples: str, *, allow_anomalies: int, rules: dict[str, str] | None = None) -> None:
        source = Importer(
            source_uri=examples,
            artifact_type=Examples,
            properties={"split_names": '["train", "eval", "test"]', "span": 3},
        ).with_id("source")
        schema = nodes.import_schema(text=schema_text, code="")
        statistics = nodes.statistics(
            examples=source.outputs["result"],
            schema=schema.outputs["schema"],
            label=Regression(name="tips", column="tips").model_dump_json(),
            code="",
        )
        validate = nodes.validate(
            statistics=statistics.outputs["statistics"],
            schema=schema.outputs["schema"],
            examples=source.outputs["result"],
            code="",
            **(rules or {}),
        )
        gate = nodes.gate(
            anomalies=validate.outputs["anomalies"],
            examples=source.outputs["result"],
            statistics=statistics.outputs["statistics"],
            plan=FeaturePlan().model_dump_json(),
            validation=Validation().model_dump_json(),
            allow_anomalies=allow_anomalies,
            code="",
        )
        pipeline = Pipeline(
            pipeline_name="validation",
            pipeline_root=str(tmp_path / "root"),
            metadata_connection_config=connection(tmp_path),
            components=[source, schema, statistics, validate, gate],
            enable_cache=True,
            beam_pipeline_args=["--runner=FnApiRunner"],
        )
        LocalDagRunner().run(pipeline)

    return _run


def connection(tmp_path: Path) -> metadata_store_pb2.ConnectionConfig:
    return metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetadataStore]:
    with metadata.Metadata(connection(tmp_path)) as handle:
        yield handle.store


def test_nodes_record_what_stock_components_read_and_the_gate_stops(
    examples_of: Callable[..., str],
    run: Callable[..., None],
    store: MetadataStore,
    schema_text: str,
) -> None:
    examples = examples_of(eval={"fare": [-1.0, 1.0, 2.0, 3.0]})
    counts = {"train": 4, "eval": 4, "test": 4}
    Counts(records_read=12, examples=counts, records_rejected=0, rejected_by_reason={}).write(
        examples
    )
    with pytest.raises(DataError, match=r"fare +eval +value too small +at least 0 +-1"):
        run(examples, allow_anomalies=0)

    (statistics,) = store.get_artifacts_by_type("ExampleStatistics")
    assert json.loads(statistics.properties["split_names"].string_value) == list(counts)
    assert statistics.properties["span"].int_value == 3
    path = os.path.join(statistics.uri, "Split-eval", "FeatureStats.pb")
    assert tfdv.load_stats_binary(path).datasets[0].num_examples == 4
    (schema,) = store.get_artifacts_by_type("Schema")
    assert os.listdir(schema.uri) == ["schema.pbtxt"]
    assert len(tfdv.load_schema_text(os.path.join(schema.uri, "schema.pbtxt")).feature) == 4
    (anomalies,) = store.get_artifacts_by_type("ExampleAnomalies")
    assert sorted(os.listdir(anomalies.uri)) == [
        "Split-eval",
        "Split-test",
        "Split-train",
        "findings.json",
    ]

    run(examples, allow_anomalies=1)
    assert states(store)["gate"] == [FAILED, COMPLETE]
    assert states(store)["statistics"] == [COMPLETE, CACHED]

    run(examples, allow_anomalies=1)
    assert states(store)["gate"] == [FAILED, COMPLETE, CACHED]

    rules = Validation.model_validate({"rules": {"cheap": "mean(fare) < 2", "paid": "tips > 0"}})
    columns = read_columns(schema_text, where="")
    given = {"rules": rules.model_dump_json(include={"rules"}), "columns": dumps(columns)}
    run(examples, allow_anomalies=1, rules=given)
    assert states(store)["statistics"][-1] == CACHED
    assert [states(store)[node][-1] for node in ("validate", "gate")] == [COMPLETE, COMPLETE]
    found = Findings.read(store.get_artifacts_by_type("ExampleAnomalies")[-1].uri)
    assert [(r.name, r.split, r.holds, r.value) for r in found.rules] == [
        ("cheap", "train", False, 27.4375),
        ("cheap", "eval", True, 1.25),
        ("cheap", "test", False, 27.4375),
        *[("paid", split, False, 0.5) for split in counts],
    ]
    broken = [(f.column, f.split) for f in found.findings if f.kind == RULE]
    assert broken[:2] == [("rule cheap", "train"), ("rule cheap", "test")]


def states(store: MetadataStore) -> dict[str, list[int]]:
    """Return the states of each node's executions, oldest first."""
    found: dict[str, list[int]] = {}
    for execution in sorted(store.get_executions(), key=lambda execution: execution.id):
        node = execution.type.removeprefix("components.validate.component.")
        found.setdefault(node, []).append(execution.last_known_state)
    return found
