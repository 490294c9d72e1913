"""Requests that TensorFlow Serving replays before it serves, so that no user waits for a first one.

The function takes a few real rows. It writes `assets.extra/tf_serving_warmup_requests` into the
SavedModel's folder: PredictionLog records in a TFRecord file, one for every signature that takes
requests.
"""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.encoded_examples import as_tf_examples
from components.examples import as_raw_columns
from components.export import signatures as names
from schemas.columns import Column

FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")


def write_warmup(
    saved_model: str,
    rows: pa.RecordBatch,
    columns: tuple[Column, ...],
    model_name: str,
    *,
    methods: tuple[str, ...],
) -> None:
    """Write the warm-up requests of a SavedModel.

    Args:
      saved_model: its folder.
      rows: raw rows as on disk; if there are none, no file is written.
      columns: the raw columns that a request contains.
      model_name: the name under which the model is served.
      methods: the signatures for :classify and :regress that the SavedModel has.
    """
    if not rows.num_rows:
        return
    path = os.path.join(saved_model, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tf.io.TFRecordWriter(path) as writer:
        for log in warmup_requests(rows, columns, model_name, methods):
            writer.write(log.SerializeToString(deterministic=True))


def warmup_requests(
    rows: pa.RecordBatch, columns: tuple[Column, ...], model_name: str, methods: tuple[str, ...]
) -> list[prediction_log_pb2.PredictionLog]:
    """Return one request a signature, each of all the rows."""
    examples = as_tf_examples(rows, columns)
    logs = []
    for name in (names.SERVING_DEFAULT, names.TRANSFORM_FEATURES, *names.BY_COLUMN):
        inputs: dict[str, Any] = (
            as_raw_columns(rows, columns) if name in names.BY_COLUMN else {names.EXAMPLES: examples}
        )
        log = prediction_log_pb2.PredictionLog()
        _fill_predict(log.predict_log.request, inputs)
        _fill_spec(log.predict_log.request.model_spec, model_name, name)
        logs.append(log)
    for name in methods:
        log = prediction_log_pb2.PredictionLog()
        part = log.classify_log if name == names.CLASSIFICATION else log.regress_log
        for example in examples:
            part.request.input.example_list.examples.add().ParseFromString(example)
        _fill_spec(part.request.model_spec, model_name, name)
        logs.append(log)
    return logs


def _fill_predict(request: Any, inputs: dict[str, Any]) -> None:
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))


def _fill_spec(spec: Any, model_name: str, signature: str) -> None:
    spec.name = model_name
    spec.signature_name = signature
