"""Lists at the gate and in request logs: each value counts, and a missing list is not empty."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.encoded_examples import as_tf_examples
from components.examples import (
    ShardWriter,
    arrow_schema,
    as_raw_columns,
    iter_batches,
    split_folder,
)
from components.validate import request_logs, skew, statistics, stored
from schemas.columns import parse_schema, read_columns
from schemas.splits.options import SPLITS
from tests.component.validate.conftest import SCHEMA

pytestmark = pytest.mark.component

LISTS = """
feature {
  name: "tags" type: BYTES
  value_count { min: 1 max: 3 } presence { min_fraction: 0.5 }
  string_domain { value: "a" value: "b" }
}
feature {
  name: "days" type: INT
  value_count { min: 0 max: 3 } int_domain { min: 0 max: 6 is_categorical: true }
}
feature {
  name: "levels" type: INT
  value_count { min: 0 max: 3 } int_domain { min: 0 max: 6 }
}
"""
LISTS += """
feature { name: "flags" type: INT bool_domain {} value_count { min: 0 max: 3 } }
feature {
  name: "answers" type: BYTES value_count { min: 0 max: 3 }
  bool_domain { true_value: "yes" false_value: "no" }
}
feature {
  name: "visits" type: BYTES value_count { min: 0 max: 3 }
  time_domain { string_format: "%d.%m.%Y" }
}
feature {
  name: "opened" type: INT value_count { min: 0 max: 3 }
  time_domain { integer_format: UNIX_DAYS }
}
"""
COLUMNS = read_columns(LISTS, where="")
DAY = 86_400_000_000
GOOD = {
    "tags": [["a"], ["b", "a"], None, ["a", "a", "b"]],
    "days": [[0, 6], [], None, [1]],
    "levels": [[0, 6], [], None, [1]],
    "flags": [[0, 1], [], None, [1]],
    "answers": [["no", "yes"], [], None, ["yes"]],
    "visits": [[0, 2 * DAY], [], None, [DAY]],
    "opened": [[0, 2 * DAY], [], None, [DAY]],
}


def typed(**changed):
    types = {c.name: arrow_schema([c]).field(0).type for c in COLUMNS}
    return {n: pa.array(values, types[n]) for n, values in {**GOOD, **changed}.items()}


def found(findings):
    return {(f.column, f.kind) for f in findings.findings if f.environment == "TRAINING"}


def test_lists_within_the_schema_have_no_finding(findings_of):
    same = dict.fromkeys(("train", "eval", "test"), typed())
    assert found(findings_of(SCHEMA + LISTS, **same)) == set()


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"tags": [["a"], [], ["b"], ["a"]]}, "FEATURE_TYPE_LOW_NUMBER_VALUES"),
        ({"tags": [["a"], ["b", "c"], ["b"], ["a"]]}, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ({"tags": [["a"], None, None, None]}, "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ({"levels": [[1, 2, 7], [], None, [1]]}, "INT_TYPE_BIG_INT"),
        ({"days": [[1, 2, -1], [], None, [1]]}, "INT_TYPE_SMALL_INT"),
        ({"visits": [[0] * 4, [], None, []]}, "FEATURE_TYPE_HIGH_NUMBER_VALUES"),
    ],
)  # fmt: skip
def test_each_value_of_a_list_is_checked(findings_of, changed, kind):
    splits = {"train": typed(**changed), "eval": typed(), "test": typed()}
    (column,) = changed
    assert (column, kind) in found(findings_of(SCHEMA + LISTS, **splits))


def test_statistics_count_values_and_rows(examples_of, tmp_path):
    same = dict.fromkeys(("train", "eval", "test"), typed())
    schema = parse_schema(SCHEMA + LISTS, where="")
    statistics.generate(examples=examples_of(**same), schema=schema, output=str(tmp_path))
    (dataset,) = stored.load(str(tmp_path), "train").datasets
    measured = {feature.path.step[0]: feature for feature in dataset.features}
    tags = measured["tags"].string_stats
    assert (tags.common_stats.num_non_missing, tags.common_stats.num_missing) == (3, 1)
    assert tags.common_stats.max_num_values == 3
    assert {v.value: v.frequency for v in tags.top_values} == {"a": 4, "b": 2}
    assert measured["levels"].num_stats.max == 6
    assert measured["days"].string_stats.unique == 3


@pytest.fixture
def batch():
    return pa.RecordBatch.from_arrays([*typed().values()], [*GOOD])


def logs(batch, kind):
    log = prediction_log_pb2.PredictionLog()
    if kind == "columns":
        for name, array in as_raw_columns(batch, COLUMNS).items():
            log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        return log
    examples = as_tf_examples(batch, COLUMNS)
    if kind == "examples":
        log.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto(examples))
    else:
        for example in examples:
            given = log.regress_log.request.input.example_list
            given.examples.add().ParseFromString(example)
    return log


def read(tmp_path, *written):
    path = str(tmp_path / "requests.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for log in written:
            writer.write(log.SerializeToString())
    output = str(tmp_path / "examples")
    noted = request_logs.to_examples([path], COLUMNS, output)
    return noted, pa.Table.from_batches(iter_batches(output, request_logs.SPLIT))


@pytest.mark.parametrize("kind", ["columns", "examples", "regress"])
def test_logged_lists_are_those_of_the_rows(kind, batch, tmp_path):
    noted, table = read(tmp_path, logs(batch, kind))
    assert (noted.rows, noted.unreadable, noted.unreadable_rows) == (4, 0, 0)
    assert table.to_pydict() == batch.to_pydict()


def test_columns_that_a_request_left_out_are_missing(batch, tmp_path):
    log = logs(batch, "columns")
    del log.predict_log.request.inputs["tags"]
    empty = tf.make_tensor_proto(np.zeros((4, 0)))
    log.predict_log.request.inputs["days"].CopyFrom(empty)
    _, table = read(tmp_path, log)
    assert table["tags"].to_pylist() == [None] * 4
    assert table["days"].to_pylist() == [[]] * 4


@pytest.mark.parametrize(
    ("column", "matrix"),
    [
        ("flags", [[1.0, 2.0]]),
        ("answers", [[b"yes", b"maybe"]]),
        ("visits", [[b"01.01.1970", b"31.02.1970"]]),
        ("opened", [[1.0, 1e12]]),
    ],
)
def test_lists_with_other_values_than_booleans_and_times_are_left_out(
    column, matrix, batch, tmp_path
):
    bad = logs(batch.slice(0, 1), "columns")
    bad.predict_log.request.inputs[column].CopyFrom(tf.make_tensor_proto(np.array(matrix)))
    noted, table = read(tmp_path, logs(batch, "columns"), bad)
    assert (noted.rows, noted.unreadable) == (4, 1)
    assert table.to_pydict() == batch.to_pydict()


@pytest.mark.parametrize(
    "matrix", [[[1.0, np.nan, 2.0]], [[2.5, np.nan]], [[1.0] * 4], [1.0], [[-np.inf]]]
)
def test_what_is_no_list_of_the_column_is_left_out(matrix, batch, tmp_path):
    bad = logs(batch.slice(0, 1), "columns")
    bad.predict_log.request.inputs["days"].CopyFrom(tf.make_tensor_proto(np.array(matrix)))
    noted, table = read(tmp_path, logs(batch, "columns"), bad)
    assert (noted.rows, noted.unreadable) == (4, 1)
    assert table.to_pydict() == batch.to_pydict()


def random_lists(rows, seed, words):
    random = np.random.default_rng(seed)
    lengths = random.integers(-1, 4, rows)

    def listed(values):
        return [
            None if n < 0 else [values[i] for i in random.integers(0, len(values), n)]
            for n in lengths.tolist()
        ]

    return typed(
        tags=listed(words),
        days=listed(range(7)),
        levels=listed(range(7)),
        flags=listed([0, 1]),
        answers=listed(["no", "yes"]),
        visits=listed([0, DAY]),
        opened=listed([0, DAY]),
    )


@pytest.mark.parametrize(
    ("words", "moved"), [(["a", "b"], set()), (["b", "b", "b", "a", "c"], {"tags"})]
)
def test_values_of_requests_lists_that_moved_are_named(words, moved, tmp_path):
    text = SCHEMA + LISTS
    (tmp_path / "schema.pbtxt").write_text(text)
    for seed, split in enumerate(SPLITS):
        table = pa.table(random_lists(3_000 if split == "train" else 1_000, seed, ["a", "b"]))
        path = f"{split_folder(str(tmp_path / 'run'), split)}/rows.parquet"
        with ShardWriter(path, table.schema, batch_rows=65_536) as writer:
            writer.write(table)
    statistics.generate(
        examples=str(tmp_path / "run"),
        schema=parse_schema(text, where=""),
        output=str(tmp_path / "statistics"),
    )
    asked = pa.RecordBatch.from_arrays([*random_lists(1_500, 9, words).values()], [*GOOD])
    path = str(tmp_path / "requests.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(logs(asked, "columns").SerializeToString())

    found_skew = skew.measure(
        [path],
        schema_path=str(tmp_path / "schema.pbtxt"),
        statistics_dir=str(tmp_path / "statistics"),
        columns=[*GOOD],
    )

    assert {each.column for each in found_skew.moved} == moved
    new = {v.value for each in found_skew.columns for v in each.new_values}
    assert new == ({"c"} if moved else set())
