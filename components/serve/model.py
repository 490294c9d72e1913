"""A SavedModel in memory, run by its SignatureDefs as TensorFlow Serving runs it.

Goes in: arrays by input name. Comes out: arrays by output name. Promised: columns of any name can
be asked with, and the graph's own refusals come out as a `RequestError` of their HTTP status.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from components.serve.failures import INTERNAL, STATUS_OF_CODE, RequestError
from components.serve.signature import Signature, Tensor, stand_in
from schemas.errors import ModelError

_WARMUP = os.path.join("assets.extra", "tf_serving_warmup_requests")
_MOST_WARMUPS = 1_000  # TensorFlow Serving's own bound
_INIT_OP = "__saved_model_init_op"  # has no outputs and is not for requests


class SavedModel:
    """A loaded SavedModel.

    Args:
      path: its folder.

    Attributes:
      signatures: by name.

    Raises:
      ModelError: there is none that can be loaded.
    """

    def __init__(self, path: str) -> None:
        # Ops run in the thread that asks: a row is computed before other threads have woken up.
        # Threads that share one op spin between two of them, and so take the cores that the event
        # loop and other versions need; even 4,096 rows are not computed sooner with them.
        config = tf.compat.v1.ConfigProto(
            inter_op_parallelism_threads=-1, intra_op_parallelism_threads=1
        )
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            graph = tf.compat.v1.saved_model.load(self._session, [tf.saved_model.SERVING], path)
        except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ModelError(f"the SavedModel does not load: {error}", where=path) from error
        self.signatures: Mapping[str, Signature] = {
            name: _described(definition)
            for name, definition in graph.signature_def.items()
            if name != _INIT_OP
        }
        # Made once: to look tensors up by name takes longer than to compute a row.
        self._calls = {name: self._callable(s) for name, s in self.signatures.items()}
        self._warm_up(os.path.join(path, _WARMUP))

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return a signature's outputs.

        Args:
          signature: its name.
          inputs: an array every input, of its type; text as `bytes` objects.

        Raises:
          RequestError: the graph refused the values.
        """
        wanted = self.signatures[signature]
        try:
            outputs = self._calls[signature](*(inputs[name] for name in wanted.inputs))
        except tf.errors.OpError as error:
            status = STATUS_OF_CODE.get(error.error_code, INTERNAL)
            if status == INTERNAL:
                raise
            raise RequestError(_sentence(error.message), status) from None
        except UnicodeDecodeError as error:
            # TensorFlow's Python side fails on a refusal that quotes bytes of the request.
            message = error.object.decode(errors="backslashreplace")
            raise RequestError(_sentence(message)) from None
        return dict(zip(wanted.outputs, outputs, strict=True))

    def close(self) -> None:
        """Give the memory back to the system; the model is not asked again.

        Without the last two steps a server grows with every version: a graph's Python side is full
        of cycles, and glibc keeps what is freed.
        """
        self._session.close()
        self._calls = {}
        del self._session
        gc.collect()
        with contextlib.suppress(AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)

    def _callable(self, signature: Signature) -> Callable[..., list[np.ndarray]]:
        graph = self._session.graph
        feeds = [graph.get_tensor_by_name(t.name) for t in signature.inputs.values()]
        fetches = [graph.get_tensor_by_name(t.name) for t in signature.outputs.values()]
        call: Callable[..., list[np.ndarray]] = self._session.make_callable(fetches, feeds)
        return call

    def _warm_up(self, path: str) -> None:
        """Run the requests that the export left for this, so that no client waits for the first."""
        if not os.path.isfile(path):
            return
        from tensorflow_serving.apis import prediction_log_pb2

        records = tf.data.TFRecordDataset(path).take(_MOST_WARMUPS)
        for record in records.as_numpy_iterator():
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            name = (
                request.model_spec.signature_name
                or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
            )
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            if name in self.signatures and inputs.keys() == self.signatures[name].inputs.keys():
                self.run(name, inputs)


def _described(definition: Any) -> Signature:
    return Signature(
        inputs={name: _tensor(info) for name, info in sorted(definition.inputs.items())},
        outputs={name: _tensor(info) for name, info in sorted(definition.outputs.items())},
        method_name=definition.method_name,
        left_out={
            name: value
            for name, default in definition.defaults.items()
            if (value := stand_in(tf.make_ndarray(default))) is not None
        },
    )


def _tensor(info: Any) -> Tensor:
    from tensorflow.core.framework import types_pb2

    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return Tensor(info.name, types_pb2.DataType.Name(info.dtype), sizes)


def _sentence(message: str) -> str:
    """Return what the op itself says: the last line before the graph's nodes are listed."""
    lines = message.partition("\t [[")[0].split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "refused by the graph")
