"""Requests like the training data have not moved; each planted shift is found and named."""

import gzip
import json
import os
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import prediction_log_pb2

from components.encoded_examples import as_tf_examples
from components.examples import ShardWriter, as_raw_columns, split_folder
from components.validate import log_files, request_logs, skew, skew_text, statistics
from components.validate.moved import Skew
from pipeline import lineage
from pipeline import skew as command
from pipeline.cli import main
from schemas.columns import columns_of, parse_schema
from schemas.errors import ConfigError
from schemas.layout import FILE_NAME, Layout, TransformedFeature
from schemas.splits.options import SPLITS

pytestmark = pytest.mark.component

SCHEMA = """default_environment: "TRAINING"
default_environment: "SERVING"
feature { name: "fare" type: FLOAT presence { min_fraction: 0.9 } float_domain { min: 0 } }
feature { name: "hour" type: INT int_domain { min: 0 max: 23 is_categorical: true } }
feature { name: "payment" type: BYTES domain: "payment" }
feature { name: "seconds" type: INT }
feature { name: "unused" type: BYTES }
feature { name: "tips" type: FLOAT not_in_environment: "SERVING" }
string_domain { name: "payment" value: "Cash" value: "Crédit" value: "No Charge" }
"""
ALL = columns_of(parse_schema(SCHEMA, where=""), where="")
TAKEN = ("fare", "hour", "payment", "seconds")
COLUMNS = tuple(column for column in ALL if column.name in TAKEN)


def table(rows, seed):
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "fare": pa.array(random.gamma(2, 5, rows).astype(np.float32)),
            "hour": pa.array(random.integers(0, 24, rows), mask=random.random(rows) < 0.1),
            "payment": random.choice(["Cash", "Crédit", "No Charge"], rows, p=[0.5, 0.4, 0.1]),
            "seconds": pa.array(random.integers(0, 100_000, rows)),
            "unused": pa.array(["x"] * rows),
            "tips": pa.array(random.random(rows).astype(np.float32)),
        }
    )


@dataclass(frozen=True)
class Run:
    """The outputs of a run that requests are compared with."""

    schema: str
    statistics: str
    graph: str


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    (root / "schema.pbtxt").write_text(SCHEMA, encoding="utf-8")
    for seed, split in enumerate(SPLITS):
        rows = table(3_000 if split == "train" else 1_000, seed)
        path = os.path.join(split_folder(str(root / "examples"), split), "rows.parquet")
        with ShardWriter(path, rows.schema, batch_rows=65_536) as writer:
            writer.write(rows)
    statistics.generate(
        examples=str(root / "examples"),
        schema=parse_schema(SCHEMA, where=""),
        output=str(root / "statistics"),
    )
    features = [
        TransformedFeature(name=name, columns=(name,), treatment="any", role="dense")
        for name in TAKEN
    ]
    layout = Layout(features=tuple(features), label="big_tip")
    (root / "graph").mkdir()
    (root / "graph" / FILE_NAME).write_text(layout.model_dump_json())
    return Run(str(root / "schema.pbtxt"), str(root / "statistics"), str(root / "graph"))


def requests():
    """Return the serving columns of rows similar to the training rows."""
    (batch,) = table(800, 9).select(TAKEN).combine_chunks().to_batches()
    return batch


def with_column(batch, name, values):
    arrays = [values if n == name else batch.column(n) for n in batch.schema.names]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def renamed(values, old, new):
    return pa.array([new if value == old else value for value in values.to_pylist()])


def logs_of_columns(batch, size=50):
    logs = []
    for start in range(0, batch.num_rows, size):
        log = prediction_log_pb2.PredictionLog()
        request = log.predict_log.request
        request.model_spec.signature_name = "raw_columns"
        arrays = as_raw_columns(batch.slice(start, size), COLUMNS)
        for name, array in arrays.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        logs.append(log)
    return logs


def logs_of_examples(batch, kind):
    log = prediction_log_pb2.PredictionLog()
    examples = as_tf_examples(batch, COLUMNS)
    if kind == "predict_log":
        log.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto(examples))
        return [log]
    given = getattr(log, kind).request.input.example_list
    for example in examples:
        given.examples.add().ParseFromString(example)
    return [log]


def write(folder, logs, name="requests-1.tfrecord"):
    path = folder / name
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())
    return path


def measure(run, folder, **options):
    return skew.measure(
        [str(folder)],
        schema_path=run.schema,
        statistics_dir=run.statistics,
        columns=TAKEN,
        **options,
    )


@pytest.fixture
def exit_code(run, monkeypatch, capsys):
    """Run `skewless skew` on a folder of logs; return its exit code and output."""
    reference = command.TrainingRun("a", run.schema, run.statistics, run.graph)
    monkeypatch.setattr(command, "find", lambda run: reference)

    def ask(folder, *options):
        code = main(["skew", "runs/tiny", str(folder), *options])
        return code, capsys.readouterr()

    return ask


def test_every_signature_gives_the_same_rows():
    batch = requests()
    found = {}
    for kind, logs in {
        "columns": logs_of_columns(batch),
        "serving_default": logs_of_examples(batch, "predict_log"),
        "classify": logs_of_examples(batch, "classify_log"),
        "regress": logs_of_examples(batch, "regress_log"),
    }.items():
        table = request_logs._Table(COLUMNS, request_logs.Read())
        for log in logs:
            table.add(log)
        found[kind] = table.take()
    for got in found.values():
        assert got.to_pydict() == batch.to_pydict()


def test_context_replaces_features_that_examples_lack():
    log = prediction_log_pb2.PredictionLog()
    given = log.classify_log.request.input.example_list_with_context
    given.context.features.feature["fare"].float_list.value.append(5)
    given.context.features.feature["hour"].int64_list.value.append(3)
    given.examples.add().features.feature["hour"].int64_list.value.append(4)
    given.examples.append(example_pb2.Example())
    table = request_logs._Table(COLUMNS, request_logs.Read())
    table.add(log)
    got = table.take().to_pydict()
    assert (got["fare"], got["hour"], got["payment"]) == ([5, 5], [4, 3], [None, None])


def test_nothing_moved(run, tmp_path, exit_code):
    batch = requests()
    write(tmp_path, logs_of_columns(batch.slice(0, 400)))
    write(tmp_path, logs_of_examples(batch.slice(400), "classify_log"), "requests-2.tfrecord")
    code, said = exit_code(tmp_path)
    assert code == 0, said.out
    assert "800 rows of requests (raw_columns 400, serving_default 400)" in said.out
    assert "nothing moved beyond its threshold" in said.out
    assert "unused" not in said.out  # not an input of the model, so requests need not have it


@pytest.mark.parametrize(
    ("column", "measure", "change"),
    [
        ("fare", "Jensen-Shannon", lambda v: pa.array(v.to_numpy() * np.float32(3))),
        ("payment", "L-infinity", lambda v: renamed(v, "Crédit", "Karte")),
        ("hour", "missing", lambda v: pa.nulls(len(v), pa.int64())),
        ("seconds", "Jensen-Shannon", lambda v: pa.array(v.to_numpy() // 60)),
    ],
)
def test_a_planted_shift_is_found_and_named(tmp_path, exit_code, column, measure, change):
    batch = requests()
    changed = change(batch.column(batch.schema.get_field_index(column)))
    write(tmp_path, logs_of_columns(with_column(batch, column, changed)))
    code, said = exit_code(tmp_path)
    assert code == 3, said.out
    moved = [line.split() for line in said.out.splitlines() if line.strip().startswith("MOVED")]
    assert (column, measure) in {(words[1], words[2]) for words in moved}
    assert {words[1] for words in moved} == {column}
    assert f"1 column moved: {column}" in said.out
    if column == "payment":
        assert "'Karte'" in said.out
        assert "unknown category" in said.out


def test_json_has_the_same_content(tmp_path, exit_code):
    batch = requests()
    write(tmp_path, logs_of_columns(with_column(batch, "hour", pa.nulls(800, pa.int64()))))
    code, said = exit_code(tmp_path, "--json")
    result = Skew.model_validate(json.loads(said.out)["result"])
    assert code == 3
    assert {each.column for each in result.moved} == {"hour"}
    assert (result.rows, result.training_rows) == (800, 3_000)


def test_the_schema_s_own_threshold_wins(run, tmp_path):
    batch = requests()
    fares = pa.array(batch.column(0).to_numpy() * np.float32(3))
    write(tmp_path, logs_of_columns(with_column(batch, "fare", fares)))
    own = tmp_path / "schema.pbtxt"
    comparator = "skew_comparator { jensen_shannon_divergence { threshold: 0.9 } }"
    own.write_text(SCHEMA.replace("float_domain { min: 0 }", comparator), encoding="utf-8")
    found = measure(Run(str(own), run.statistics, run.graph), tmp_path, threshold=0.01)
    assert {c.threshold for c in found.columns if c.measure.startswith("JENSEN")} == {0.9, 0.01}
    assert "fare" not in {c.column for c in found.moved}


@pytest.mark.parametrize(
    ("column", "comparator", "measure_", "values"),
    [
        ("payment", "infinity_norm { threshold: 0.3 }", "L_INFTY", ["Cash"]),
        ("hour", "normalized_abs_difference { threshold: 0.1 }", "NORMALIZED", [5]),
        ("fare", "jensen_shannon_divergence { threshold: 0.3 }", "JENSEN", [900.0]),
        (
            "fare",
            "jensen_shannon_divergence { threshold: 0.3 source { type: QUANTILES } }",
            "JENSEN",
            [3.0, 900.0],
        ),
        (
            "fare",
            "jensen_shannon_divergence { threshold: 0.3 source { type: STANDARD } }",
            "JENSEN",
            [3.0, 900.0],
        ),
    ],
)
def test_every_comparator_is_measured(run, tmp_path, column, comparator, measure_, values):
    batch = requests()
    moved = pa.array((values * 800)[:800], batch.column(column).type)
    write(tmp_path, logs_of_columns(with_column(batch, column, moved)))
    own = tmp_path / "schema.pbtxt"
    lines = [
        line.removesuffix("}") + f"skew_comparator {{ {comparator} }} }}"
        if f'feature {{ name: "{column}"' in line
        else line
        for line in SCHEMA.splitlines()
    ]
    own.write_text("\n".join(lines), encoding="utf-8")
    found = measure(Run(str(own), run.statistics, run.graph), tmp_path, threshold=0.01)
    (entry,) = [c for c in found.columns if c.column == column and c.measure.startswith(measure_)]
    assert f"threshold: {entry.threshold:g} " in comparator
    assert entry.moved


def test_the_buckets_of_the_schema_are_taken(run, tmp_path):
    batch = requests()
    fares = pa.array([*batch.column(0).to_pylist()[:799], 1e9], pa.float32())  # one odd value
    write(tmp_path, logs_of_columns(with_column(batch, "fare", fares)))
    own, values = tmp_path / "schema.pbtxt", {}
    for kind in ("STANDARD", "QUANTILES"):
        divergence = f"jensen_shannon_divergence {{ threshold: 0.3 source {{ type: {kind} }} }}"
        comparator = f"skew_comparator {{ {divergence} }}"
        own.write_text(SCHEMA.replace("float_domain { min: 0 }", comparator), encoding="utf-8")
        found = measure(Run(str(own), run.statistics, run.graph), tmp_path)
        values[kind] = next(c.value for c in found.columns if c.column == "fare")
    assert abs(values["STANDARD"] - values["QUANTILES"]) > 0.05


def test_too_few_rows_are_reported_as_such(run, tmp_path):
    write(tmp_path, logs_of_columns(requests().slice(0, 5)))
    found = measure(run, tmp_path)
    assert not found.moved
    assert "too few rows" in "\n".join(skew_text.lines(found))


def test_a_truncated_file_is_read_to_its_end_and_reported(run, tmp_path):
    path = write(tmp_path, logs_of_columns(requests()), "requests-1.tfrecord.partial")
    path.write_bytes(path.read_bytes()[:-7])
    found = measure(run, tmp_path)
    assert found.cut == {str(path): 15}
    assert found.rows == 750
    assert "ends within a record" in "\n".join(skew_text.lines(found))


def test_damage_costs_the_records_that_it_lies_in(run, tmp_path, exit_code):
    path = write(tmp_path, logs_of_columns(requests()))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    found = measure(run, tmp_path)
    assert (found.rows, found.damaged, found.cut) == (750, {str(path): 1}, {})
    code, said = exit_code(tmp_path)
    assert code == 0, said.out
    assert f"note: {path} is damaged in 1 place(s); the records around were read" in said.out


@pytest.mark.parametrize("size", [None, -2_000])
def test_a_gzipped_log_is_read_as_far_as_it_goes(run, tmp_path, size):
    path = write(tmp_path, logs_of_columns(requests()))
    whole = gzip.compress(path.read_bytes())
    path.unlink()
    packed = tmp_path / "requests-1.tfrecord.gz"
    packed.write_bytes(whole[:size])
    found = measure(run, tmp_path)
    if size is None:
        assert (found.rows, found.cut) == (800, {})
    else:
        assert found.cut == {str(packed): found.rows // 50}
        assert 0 < found.rows < 800
        assert "ends within a record" in "\n".join(skew_text.lines(found))


def test_one_unreadable_example_does_not_make_the_log_unreadable(run, tmp_path, exit_code):
    batch = requests()
    (log,) = logs_of_examples(batch, "predict_log")
    examples = log.predict_log.request.inputs["examples"]
    examples.string_val[7] = b"junk!!"
    wrong = example_pb2.Example()
    wrong.features.feature["hour"].float_list.value.append(0.5)
    examples.string_val[8] = wrong.SerializeToString()
    alone = prediction_log_pb2.PredictionLog()
    alone.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto([b"junk!!"]))
    write(tmp_path, [alone, log])
    found = measure(run, tmp_path)
    assert (found.rows, found.unreadable_rows, found.passed_over) == (798, 3, 0)
    code, said = exit_code(tmp_path)
    assert code == 0, said.out
    assert "note: 3 row(s) cannot be read, and are left out" in said.out


def strange(change):
    (log,) = logs_of_columns(requests().slice(0, 2), size=2)
    change(log.predict_log.request.inputs)
    return log


UNREADABLE = {
    "of another type": lambda inputs: inputs["hour"].CopyFrom(tf.make_tensor_proto(["a", "b"])),
    "numbers for text": lambda inputs: inputs["payment"].CopyFrom(tf.make_tensor_proto([1.0, 2.0])),
    "no integers": lambda inputs: inputs["hour"].CopyFrom(tf.make_tensor_proto([0.5, np.inf])),
    "of unequal length": lambda inputs: inputs["fare"].CopyFrom(tf.make_tensor_proto([1.0])),
    "of no type": lambda inputs: inputs["fare"].__setattr__("dtype", 99),
    "more than there are": lambda inputs: (
        inputs["fare"].tensor_shape.dim[0].__setattr__("size", 2**40)
    ),
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_a_record_that_no_column_can_hold_is_left_out_and_counted(run, tmp_path, change):
    write(tmp_path, [strange(change), *logs_of_columns(requests())])
    found = measure(run, tmp_path)
    assert (found.rows, found.unreadable) == (800, 1)
    assert "1 record(s) are not requests to this model" in "\n".join(skew_text.lines(found))


def test_the_requests_of_a_stream_are_read_each(tmp_path):
    parts = logs_of_columns(requests().slice(0, 4), size=2)
    log = prediction_log_pb2.PredictionLog()
    log.predict_streamed_log.request.extend(part.predict_log.request for part in parts)
    read = request_logs.Read()
    table = request_logs._Table(COLUMNS, read)
    table.add(log)
    assert table.take().to_pydict() == requests().slice(0, 4).to_pydict()
    assert read.signatures == {"raw_columns": 4}


def test_other_records_alone_are_an_error(tmp_path, exit_code):
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(b"\xff\xff\xff no message")
    (tmp_path / "b.tfrecord").write_text("no records at all\n" * 100, encoding="utf-8")
    code, said = exit_code(tmp_path)
    assert code == 1
    assert "no request in 2 file(s)" in said.err
    assert "1 record(s) are not requests to this model" in said.err
    assert "b.tfrecord is damaged in 1 place(s)" in said.err


def test_logs_without_a_request_are_an_error(tmp_path, exit_code):
    write(tmp_path, [])
    code, said = exit_code(tmp_path)
    assert code == 1
    assert "no request in 1 file(s)" in said.err


def test_no_logs_are_an_error(tmp_path, exit_code):
    code, said = exit_code(tmp_path)
    assert code == 2
    assert "there is no request log" in said.err
    with pytest.raises(ConfigError, match="no file or folder"):
        log_files.find([str(tmp_path / "nowhere")])


def test_a_folder_that_is_not_a_run_is_an_error(tmp_path):
    write(tmp_path, [])
    with pytest.raises(ConfigError, match="is not a run"):
        command.find(str(tmp_path))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Create three runs with the necessary artifacts, of which these have pushed their models."""
    (tmp_path / "metadata.sqlite").touch()

    def execution(node, channel, **properties):
        artifact = lineage.Artifact(str(tmp_path), properties)
        return lineage.Execution(node, "COMPLETE", {channel: artifact})

    def make(*pushed):
        recorded = {}
        for run_id in ("1", "2", "3"):
            (tmp_path / "runs" / run_id).mkdir(parents=True)
            recorded[run_id] = {
                node: execution(node, channel) for node, channel in command._NEEDED.items()
            }
            if run_id in pushed:
                recorded[run_id]["push"] = execution("push", "pushed", pushed=1)
        recorded["2"].setdefault("push", execution("push", "pushed", pushed=0))  # it was refused
        monkeypatch.setattr(lineage, "read_run", lambda _, run_id: recorded[run_id])
        return str(tmp_path)

    return make


@pytest.mark.parametrize(("pushed", "taken"), [(["1"], "1"), (["1", "2"], "2"), ([], "3")])
def test_what_was_pushed_is_the_measure_and_not_a_run_at_work(runs, pushed, taken):
    assert command.find(runs(*pushed)).run_id == taken
