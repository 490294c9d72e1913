"""Converts an exchange to the PredictionLog that TensorFlow Serving's logger would write.

Request and response are those of a gRPC client, whatever the protocol, with the version that
answered. Reading the log needs no code of this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorflow_serving.apis import prediction_log_pb2

from components.serve import grpc_tensors, routes, tf_examples
from components.serve.messages import Exchange

_TAGS = ("serve",)


def prediction_log(
    exchange: Exchange, *, sample: float, seconds: float
) -> prediction_log_pb2.PredictionLog:
    """Return the log of an exchange that was one request to one signature, and succeeded.

    Args:
      exchange: the exchange.
      sample: the share of exchanges that are logged, 0 to 1.
      seconds: the time of the answer, since 1970.
    """
    log = prediction_log_pb2.PredictionLog()
    _fill_spec(log.log_metadata.model_spec, exchange)
    log.log_metadata.sampling_config.sampling_rate = sample
    log.log_metadata.saved_model_tags.extend(_TAGS)
    log.log_metadata.timestamp_secs = int(seconds)
    part, fill = {
        routes.PREDICT: (log.predict_log, _fill_predict),
        routes.CLASSIFY: (log.classify_log, _fill_classify),
        routes.REGRESS: (log.regress_log, _fill_regress),
    }[exchange.method]
    _fill_spec(part.request.model_spec, exchange)
    _fill_spec(part.response.model_spec, exchange)
    fill(part, exchange.inputs, exchange.outputs)
    return log


def _fill_spec(spec: Any, exchange: Exchange) -> None:
    spec.name = exchange.model
    spec.version.value = exchange.version
    spec.signature_name = exchange.signature


def _fill_predict(log: Any, inputs: Any, outputs: Any) -> None:
    for name, array in inputs.items():
        grpc_tensors.fill_proto(log.request.inputs[name], array)
    for name, array in outputs.items():
        grpc_tensors.fill_proto(log.response.outputs[name], array)


def _fill_classify(log: Any, inputs: Any, outputs: Any) -> None:
    _fill_examples(log.request.input, inputs)
    labels, scores = tf_examples.classes_of(outputs)
    for of_row in zip(labels.tolist(), scores.tolist(), strict=True):
        classes = log.response.result.classifications.add().classes
        for label, score in zip(*of_row, strict=True):
            classes.add(label=label, score=score)


def _fill_regress(log: Any, inputs: Any, outputs: Any) -> None:
    _fill_examples(log.request.input, inputs)
    for value in tf_examples.values_of(outputs).tolist():
        log.response.result.regressions.add(value=value)


def _fill_examples(given: Any, inputs: Any) -> None:
    (serialised,) = inputs.values()
    examples: Sequence[bytes] = serialised.tolist()
    for example in examples:
        given.example_list.examples.add().ParseFromString(example)
