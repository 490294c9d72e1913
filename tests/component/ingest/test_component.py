"""The ingest node as TFX runs it: parameters unpacked, artifact recorded."""

import json

import pyarrow.parquet as pq
import pytest
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.ingest.component import ingest
from components.ingest.counts import Counts
from schemas.columns import Column, dumps
from schemas.examples import Examples
from schemas.prepare import EVERY_ROW
from schemas.sources.csv import Csv
from schemas.splits.hash import Hash
from schemas.tasks.binary import Binary

pytestmark = pytest.mark.component


def done(tmp_path, source, pattern, columns):
    """Run the node; return the artifact and the first shard of train."""
    label = Binary.model_validate({"name": "y", "equals": {"column": "t", "values": ["a"]}})
    node = ingest(
        source=source.model_dump_json(),
        patterns=json.dumps([str(tmp_path / pattern)]),
        fingerprint="abc",
        columns=dumps(columns),
        splits=Hash(key=("n",)).model_dump_json(),
        label=label.model_dump_json(),
        prepare=EVERY_ROW.model_dump_json(),
        settings=Examples().model_dump_json(),
        code="1",
    )
    assert node.id == "ingest"
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    executor = node.executor_spec.executor_class(
        BaseBeamExecutor.Context(beam_pipeline_args=[], tmp_dir=str(tmp_path))
    )
    executor.Do({}, {"examples": [examples]}, dict(node.spec.exec_properties))
    shard = "Split-train/examples-00000-of-00001.parquet"
    return examples, pq.read_table(f"{examples.uri}/{shard}")


COLUMNS = [Column("n", "INT", True), Column("t", "BYTES", False)]


def test_the_node_records_what_the_examples_are(tmp_path):
    (tmp_path / "data.csv").write_text("t,n\n" + "".join(f"a,{i}\n" for i in range(40)) + "a,x\n")
    examples, table = done(tmp_path, Csv(path="*.csv"), "*.csv", COLUMNS)
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval", "test"]
    assert examples.get_string_custom_property("payload_format") == "FORMAT_PARQUET"
    assert examples.get_string_custom_property("input_fingerprint") == "abc"
    assert examples.get_int_custom_property("records_read") == 41
    assert examples.get_int_custom_property("records_rejected") == 1
    counts = Counts.read(examples.uri)
    assert counts is not None
    assert table.column_names == ["n", "t"]
    assert table.num_rows == counts.examples["train"]


def test_the_node_reads_the_partitions_of_a_folder(tmp_path):
    for year in (2023, 2024):
        (tmp_path / f"data/year={year}").mkdir(parents=True)
        lines = "".join(f"a,{i}\n" for i in range(40))
        (tmp_path / f"data/year={year}/x.csv").write_text(f"t,n\n{lines}")
    columns = [*COLUMNS, Column("year", "INT", True)]
    examples, table = done(tmp_path, Csv(path="data", partitions="hive"), "data", columns)
    assert examples.get_int_custom_property("records_read") == 80
    assert set(table["year"].to_pylist()) == {2023, 2024}
