"""gRPC with tensorflow-serving-api's own stubs: arrays → requests → the arrays of the answers.

The client takes a server's port. The messages are TensorFlow Serving's, as clients write them with
`tf.make_tensor_proto` and read them with `tf.make_ndarray`. These take longer for a tensor of a few
values than the server, so the same is done here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from components.export import signatures as names
from components.parity.processes import NoAnswerError, shortened
from components.parity.server import MODEL, REQUEST_SECONDS, GoneError

_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
# TensorFlow's number of a type, and the field with its values, by numpy's type.
_TYPES = {
    np.dtype(np.float32): (types_pb2.DT_FLOAT, "float_val"),
    np.dtype(np.float64): (types_pb2.DT_DOUBLE, "double_val"),
    np.dtype(np.int64): (types_pb2.DT_INT64, "int64_val"),
    np.dtype(np.bool_): (types_pb2.DT_BOOL, "bool_val"),
    np.dtype(np.object_): (types_pb2.DT_STRING, "string_val"),
}
_BY_NUMBER = {number: (dtype, field) for dtype, (number, field) in _TYPES.items()}
# The codes of a client's errors when the server has ended.
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class GrpcClient:
    """PredictionService: Predict, and Classify and Regress for the signatures made for them.

    Args:
      port: of gRPC on this machine.
    """

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        if signature == names.CLASSIFICATION:
            return self._classify(feeds)
        if signature == names.REGRESSION:
            return self._regress(feeds)
        request = predict_pb2.PredictRequest()
        for name, values in feeds.items():
            fill_tensor(request.inputs[name], values)
        response = self._ask(self._stub.Predict, request, signature)
        return {name: array_of(proto) for name, proto in response.outputs.items()}

    def _classify(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        request = classification_pb2.ClassificationRequest()
        _fill_examples(request, feeds)
        answer = self._ask(self._stub.Classify, request, names.CLASSIFICATION)
        rows = [each.classes for each in answer.result.classifications]
        labels = [[c.label.encode() for c in row] for row in rows]
        scores = [[c.score for c in row] for row in rows]
        return {
            names.CLASSES: np.array(labels, object),
            names.SCORES: np.array(scores, np.float32),
        }

    def _regress(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        request = regression_pb2.RegressionRequest()
        _fill_examples(request, feeds)
        answer = self._ask(self._stub.Regress, request, names.REGRESSION)
        values = [each.value for each in answer.result.regressions]
        return {names.OUTPUTS: np.array(values, np.float32)}

    def _ask(self, method: Any, request: Any, signature: str) -> Any:
        request.model_spec.name = MODEL
        request.model_spec.signature_name = signature
        try:
            return method(request, timeout=REQUEST_SECONDS)
        except grpc.RpcError as error:
            reason = shortened(f"{error.code().name}: {error.details()}")
            raise (GoneError if error.code() in _GONE else NoAnswerError)(reason) from None


def fill_tensor(proto: Any, array: np.ndarray) -> None:
    """Write an array into an empty TensorProto, as `tf.make_tensor_proto` does."""
    proto.dtype, field = _TYPES[array.dtype]
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype.kind in "fi" and array.size > 1:
        proto.tensor_content = array.tobytes()
    else:
        getattr(proto, field).extend(array.reshape(-1).tolist())


def array_of(proto: Any) -> np.ndarray:
    """Return a TensorProto as an array, as `tf.make_ndarray` does.

    Raises:
      NoAnswerError: it has another number of values than its shape, or a type of no output.
    """
    if proto.dtype not in _BY_NUMBER:
        raise NoAnswerError(f"a tensor of type {proto.dtype} in the answer")
    shape = tuple([dim.size for dim in proto.tensor_shape.dim])
    dtype, field = _BY_NUMBER[proto.dtype]
    if proto.tensor_content and dtype.kind != "O":
        array = np.frombuffer(proto.tensor_content, dtype)
    else:
        values = getattr(proto, field)
        array = np.empty(len(values), dtype)
        array[:] = values
    if array.size != math.prod(shape):
        raise NoAnswerError(f"{array.size} values in a tensor of shape {list(shape)}")
    return array.reshape(shape)


def _fill_examples(request: Any, feeds: Mapping[str, np.ndarray]) -> None:
    (examples,) = feeds.values()
    for example in examples:
        request.input.example_list.examples.add().MergeFromString(example)
