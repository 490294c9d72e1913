"""Booleans and times in request logs become the examples that sources make of them."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import prediction_log_pb2

from components.calendar import DAY
from components.encoded_examples import as_tf_examples
from components.examples import arrow_schema, as_raw_columns
from components.validate import request_logs
from tests.columns import column_of

pytestmark = pytest.mark.component

COLUMNS = (
    column_of("BOOL", name="flag"),
    column_of("BOOL_TEXT", name="member"),
    column_of("TIME", "UNIX_DAYS", name="days"),
    column_of("TIME_TEXT", name="at"),
)
BATCH = pa.record_batch(
    [
        pa.array([1, None, 0]),
        pa.array(["yes", "no", None]),
        pa.array([None, -DAY, 20_000 * DAY]),
        pa.array([1_000_000, None, 1_709_213_399_000_000]),
    ],
    schema=arrow_schema(COLUMNS),
)


def predict_log(inputs):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "predict"
    for name, values in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return log


def classify_log(examples):
    log = prediction_log_pb2.PredictionLog()
    for each in examples:
        log.classify_log.request.input.example_list.examples.append(
            example_pb2.Example.FromString(each)
        )
    return log


def read(*logs):
    count = request_logs.Read()
    table = request_logs._Table(COLUMNS, count)
    for log in logs:
        table.add(log)
    return table.take(), count


def test_requests_by_column_and_by_example_are_the_examples_they_were_made_of():
    raw = as_raw_columns(BATCH, COLUMNS)
    for log in (predict_log(raw), classify_log(as_tf_examples(BATCH, COLUMNS))):
        rows, count = read(log)
        assert rows.equals(BATCH)
        assert (count.unreadable, count.unreadable_rows) == (0, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", 2.0),
        ("member", b"maybe"),
        ("days", 0.5),
        ("days", 1e9),
        ("at", b"2023-02-29 00:00:00"),
    ],
)
def test_a_record_with_a_value_that_the_model_refuses_is_unreadable(name, value):
    raw = as_raw_columns(BATCH, COLUMNS)
    raw[name][1] = value
    rows, count = read(predict_log(raw))
    assert (rows.num_rows, count.unreadable) == (0, 1)


def test_a_row_of_an_example_with_such_a_value_is_left_out():
    wrong = tf.train.Example()
    wrong.features.feature["flag"].int64_list.value.append(3)
    examples = [*as_tf_examples(BATCH, COLUMNS), wrong.SerializeToString()]
    rows, count = read(classify_log(examples))
    assert (rows.num_rows, count.unreadable_rows) == (3, 1)
    assert np.array_equal(rows.column(0).fill_null(-1), BATCH.column(0).fill_null(-1))
