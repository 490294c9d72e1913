"""A SavedModel in memory, run by its SignatureDefs as TensorFlow Serving does.

Columns may have any name. Every signature is run once before a client uses it. An error of the
graph becomes a `GraphError` with the matching HTTP status, which can name the value at fault.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import gc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from components import saved_models
from components.export import column_file
from components.export import signatures as names
from components.serve import diagnosis, warm_up
from components.serve.failures import (
    BAD_REQUEST,
    INTERNAL,
    STATUS_OF_CODE,
    GraphError,
    RequestError,
    RowError,
)
from components.serve.graph_features import features_of
from components.serve.signature import STRING, ExampleFeature, Signature, Tensor, stand_in
from components.session_call import session_call
from schemas.columns import Column

_VECTOR = (-1,)
_INIT_OP = "__saved_model_init_op"  # has no outputs and is not for requests


class SavedModelBundle:
    """A loaded SavedModel.

    Args:
      path: its folder.

    Attributes:
      signatures: by name.

    Raises:
      ModelError: it does not load.
    """

    def __init__(self, path: str) -> None:
        # Ops run in the calling thread: a row is computed before other threads wake up. Threads
        # that share an op spin between two ops, and so occupy the cores that the event loop and
        # other versions need; even 4,096 rows are not computed faster with them.
        config = tf.compat.v1.ConfigProto(
            inter_op_parallelism_threads=-1, intra_op_parallelism_threads=1
        )
        self._session, graph = saved_models.load(path, config=config)
        columns, dropped = column_file.read(path), column_file.read_dropped(path)
        described = {
            name: _described(definition, columns if name in names.BY_COLUMN else {})
            for name, definition in graph.signature_def.items()
            if name != _INIT_OP
        }
        self.signatures: Mapping[str, Signature] = {
            name: dataclasses.replace(
                signature,
                features=_features(signature, described, graph.graph_def, columns),
                ignored=dropped if name in names.BY_COLUMN else frozenset(),
            )
            for name, signature in described.items()
        }
        # Created once: looking up tensors by name takes longer than computing a row.
        self._calls = {name: self._callable(s) for name, s in self.signatures.items()}
        warm_up.run(self, path)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return a signature's outputs.

        Args:
          signature: its name.
          inputs: an array for every input, of its type; text as `bytes` objects.

        Raises:
          GraphError: the graph refused the values.
        """
        definition = self.signatures[signature]

        def explained(error: GraphError) -> RequestError:
            row_error = diagnosis.fault(definition, inputs, error.message)
            return row_error or self._row_of(error, signature, inputs)

        try:
            outputs = self._calls[signature](*(inputs[name] for name in definition.inputs))
        except tf.errors.OpError as error:
            status = STATUS_OF_CODE.get(error.error_code, INTERNAL)
            if status == INTERNAL:
                raise
            raise GraphError(_sentence(error.message), status, explained) from None
        except UnicodeDecodeError as error:
            # TensorFlow's Python code fails on an error message that quotes bytes of the request.
            message = error.object.decode(errors="backslashreplace")
            raise GraphError(_sentence(message), BAD_REQUEST, explained) from None
        if definition.features is not None:
            _check_rows(definition, inputs, outputs, explained)
        return dict(zip(definition.outputs, outputs, strict=True))

    def _row_of(
        self, error: GraphError, signature: str, inputs: Mapping[str, np.ndarray]
    ) -> RequestError:
        """Return an error that names the refused row, which is found by bisection."""

        def refused(rows: slice) -> bool:
            try:
                self.run(signature, {name: array[rows] for name, array in inputs.items()})
            except GraphError:
                return True
            return False

        row = None
        if self.signatures[signature].batched:
            row = diagnosis.first_refused(len(next(iter(inputs.values()))), refused)
        message = f"refused by the graph: {error.message}"
        return RequestError(message, error.status) if row is None else RowError(row, message)

    def close(self) -> None:
        """Return the memory to the system; the model must not be used again.

        Without the last two steps a server grows with every version: a graph's Python objects have
        many cycles, and glibc keeps freed memory.
        """
        self._session.close()
        self._calls = {}
        del self._session
        gc.collect()
        with contextlib.suppress(AttributeError):  # a C library other than glibc
            ctypes.CDLL(None).malloc_trim(0)

    def _callable(self, signature: Signature) -> Callable[..., list[np.ndarray]]:
        feeds = [tensor.name for tensor in signature.inputs.values()]
        fetches = [tensor.name for tensor in signature.outputs.values()]
        return session_call(self._session, fetches, feeds)


def _described(definition: Any, columns: Mapping[str, Column]) -> Signature:
    return Signature(
        inputs={
            name: dataclasses.replace(_tensor(info), column=columns.get(name))
            for name, info in sorted(definition.inputs.items())
        },
        outputs={name: _tensor(info) for name, info in sorted(definition.outputs.items())},
        method_name=definition.method_name,
        left_out={
            name: value
            for name, default in definition.defaults.items()
            if (value := stand_in(tf.make_ndarray(default))) is not None
        }
        | {n: None for n in definition.defaults if n in columns and columns[n].is_list},
    )


def _features(
    signature: Signature,
    signatures: Mapping[str, Signature],
    graph: Any,
    columns: Mapping[str, Column],
) -> dict[str, ExampleFeature] | None:
    """Return what a signature parses from tf.Examples; None if it takes none."""
    tensors = list(signature.inputs.values())
    if [tensor.dtype for tensor in tensors] != [STRING]:
        return None
    features = features_of(graph, tensors[0].name)
    if features is None:
        return None
    # What another signature takes once for each row also has one value in an Example.
    single = {
        name
        for other in signatures.values()
        for name, tensor in other.inputs.items()
        if tensor.shape == _VECTOR
    }
    lists = {name: column.most for name, column in columns.items() if column.is_list}
    most = {**dict.fromkeys(single, 1), **lists}
    return {
        name: dataclasses.replace(
            feature,
            most=most.get(name) if feature.most is None else feature.most,
            column=columns.get(name),
        )
        for name, feature in features.items()
    }


def _check_rows(
    signature: Signature,
    inputs: Mapping[str, np.ndarray],
    outputs: list[np.ndarray],
    explain: Callable[[GraphError], RequestError],
) -> None:
    """Check that each Example has an answer: two values in all columns make two rows of one."""
    (examples,) = inputs.values()
    for name, array in zip(signature.outputs, outputs, strict=True):
        if signature.batched and array.shape[:1] != examples.shape:
            message = (
                f"the graph gave {name!r} of shape {list(array.shape)} for {len(examples)} rows"
            )
            raise GraphError(message, BAD_REQUEST, explain)


def _tensor(info: Any) -> Tensor:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return Tensor(info.name, types_pb2.DataType.Name(info.dtype), sizes)


def _sentence(message: str) -> str:
    """Return the op's own message: the last line before the list of the graph's nodes."""
    lines = message.partition("\t [[")[0].split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "refused by the graph")
