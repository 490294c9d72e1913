"""Runs each signature of a model once before the first request: the first run takes up to a second.

The requests come from the SavedModel's folder, if it has warm-up requests (PredictionLogs, as in
TensorFlow Serving), or consist of one row of missing values. Errors in these requests do not keep a
model from being served.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components import tfrecords
from components.serve.failures import RequestError
from components.serve.grpc_messages import examples_of
from components.serve.predict import DEFAULT_SIGNATURE
from components.serve.signature import NUMPY_TYPES, STRING, Signature, Tensor
from components.tfrecords import Damage, parsed

if TYPE_CHECKING:
    from components.serve.loaded import Servable

_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
_MOST = 1_000  # requests, as in TensorFlow Serving
_MOST_ROWS = 4_096  # rows of a request

_logger = logging.getLogger(__name__)


class _Question(NamedTuple):
    signature: str
    inputs: Mapping[str, np.ndarray]


def run(model: Servable, folder: str) -> None:
    """Run every signature of a model.

    Args:
      model: the model to run.
      folder: the folder of its SavedModel.
    """
    warm = set[str]()
    for question in _recorded(model, os.path.join(folder, _FILE)):
        if _ran(model, question):
            warm.add(question.signature)
    for name, signature in model.signatures.items():
        if name not in warm and _askable(signature):
            _ran(model, _Question(name, _missing(signature)))


def _ran(model: Servable, question: _Question) -> bool:
    try:
        model.run(question.signature, question.inputs)
    except RequestError as error:
        # A row that is refused has been run up to that point.
        _logger.debug("warm-up of signature %r: %s", question.signature, error)
        return False
    except (tf.errors.OpError, ValueError, TypeError) as error:
        _logger.warning("signature %r cannot be warmed up: %s", question.signature, error)
        return False
    return True


def _recorded(model: Servable, path: str) -> Iterator[_Question]:
    """Yield the requests of a warm-up file; unreadable ones are logged and skipped."""
    if not os.path.isfile(path):
        return
    damage, unread = Damage(), 0
    with open(path, "rb") as file:
        for record in islice(tfrecords.records(file, damage), _MOST):
            log = parsed(prediction_log_pb2.PredictionLog, record)
            questions = None if log is None else _questions(model, log)
            unread += questions is None
            yield from questions or ()
    if damage or unread:
        _logger.warning(
            "%s: %d warm-up requests cannot be read; the others were run",
            path,
            unread + damage.records + damage.gaps + damage.cut,
        )


def _questions(model: Servable, log: Any) -> list[_Question] | None:
    """Return a PredictionLog's requests for signatures of the model; None if it is damaged."""
    try:
        return list(_asked(model, log))
    except (RequestError, ValueError, TypeError):  # of our parsers, and of TensorFlow's
        return None


def _asked(model: Servable, log: Any) -> Iterator[_Question]:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        if name in model.signatures and inputs.keys() == model.signatures[name].inputs.keys():
            yield _Question(name, inputs)
    elif kind in ("classify_log", "regress_log", "multi_inference_log"):
        request = getattr(log, kind).request
        examples = examples_of(request.input, _MOST_ROWS)
        for task in request.tasks if kind == "multi_inference_log" else (request,):
            name = task.model_spec.signature_name or DEFAULT_SIGNATURE
            if name in model.signatures and len(model.signatures[name].inputs) == 1:
                yield _Question(name, dict.fromkeys(model.signatures[name].inputs, examples))


def _askable(signature: Signature) -> bool:
    """Whether requests can have all of its inputs."""
    return all(tensor.dtype in NUMPY_TYPES for tensor in signature.inputs.values())


def _missing(signature: Signature) -> Mapping[str, np.ndarray]:
    """Return inputs for one row without values."""
    return {name: _one(tensor) for name, tensor in signature.inputs.items()}


def _one(tensor: Tensor) -> np.ndarray:
    shape = [1 if size == -1 else size for size in tensor.shape or ()]
    array = np.zeros(shape, NUMPY_TYPES[tensor.dtype])
    if tensor.dtype == STRING:
        array[...] = b""
    elif array.dtype.kind == "f":
        array[...] = np.nan
    return array
