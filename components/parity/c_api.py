"""A SavedModel through TensorFlow's C API: the C++ loader of TensorFlow Serving, Java and Go.

A `SavedModel` takes its folder and numpy arrays. It returns numpy arrays by the names in a
signature's SignatureDef. TensorFlow's Python code does not run, and columns left out are filled
from `SignatureDef.defaults`, as in TensorFlow Serving.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from ctypes import c_char_p, c_void_p
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from components.parity.libtensorflow import (
    NUMPY_TYPES,
    STRING,
    GraphOutput,
    TensorFlowError,
    array_of,
    data_type,
    delete_tensor,
    library,
    new_tensor,
    status_checked,
)


@dataclass(frozen=True)
class TensorInfo:
    """Where an input or output of a signature is in the graph: `name` is `operation:index`."""

    name: str
    data_type: int


@dataclass(frozen=True)
class SignatureDef:
    """A SignatureDef: inputs and outputs by name, and the values of inputs left out."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    defaults: Mapping[str, np.ndarray]
    method_name: str


class SavedModel:
    """A loaded SavedModel; close it, or use it as a context manager.

    Args:
      path: the SavedModel's folder.

    Raises:
      TensorFlowError: the folder has no SavedModel that the C++ loader can read.

    >>> with SavedModel("serving/1") as model:  # doctest: +SKIP
    ...     model.run("raw_columns", {"fare": np.array([12.5], np.float32)})["scores"]
    """

    def __init__(self, path: str) -> None:
        self._library = library()
        self._graph = c_void_p(self._library.TF_NewGraph())
        self._session = c_void_p()
        self._found: dict[str, GraphOutput] = {}
        try:
            self.signatures = self._load(path)
        except BaseException:
            self.close()
            raise

    def _load(self, path: str) -> dict[str, SignatureDef]:
        lib = self._library
        options, meta_graph = c_void_p(lib.TF_NewSessionOptions()), lib.TF_NewBuffer()
        try:
            with status_checked() as status:
                self._session = c_void_p(
                    lib.TF_LoadSessionFromSavedModel(
                        options,
                        None,
                        os.fsencode(path),
                        (c_char_p * 1)(b"serve"),
                        1,
                        self._graph,
                        meta_graph,
                        status,
                    )
                )
            buffer = meta_graph.contents
            return read_signatures(ctypes.string_at(buffer.data, buffer.length))
        finally:
            lib.TF_DeleteBuffer(meta_graph)
            lib.TF_DeleteSessionOptions(options)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return a signature's outputs.

        Args:
          signature: its name.
          feeds: arrays by input name, of exactly the input's type; text as arrays of `bytes`
            objects. Inputs that are left out take the SignatureDef's default.

        Raises:
          LookupError: there is no such signature or input, or an input without a default is left
            out.
          TypeError: an array is of another type than the input.
          TensorFlowError: the graph refused the values.
        """
        if signature not in self.signatures:
            raise LookupError(f"there is no signature {signature!r}: {sorted(self.signatures)}")
        called = self.signatures[signature]
        complete = _complete(called, feeds)
        inputs = [called.inputs[name] for name in complete]
        tensors: list[c_void_p] = []
        results: list[c_void_p] = []
        try:
            tensors.extend(map(new_tensor, complete.values()))
            results = self._run(inputs, tensors, list(called.outputs.values()))
            return dict(zip(called.outputs, map(array_of, results), strict=True))
        finally:
            for tensor, array in zip(tensors, complete.values(), strict=False):
                delete_tensor(tensor, array.size if array.dtype == object else 0)
            for tensor in results:
                delete_tensor(tensor)

    def _run(
        self, inputs: list[TensorInfo], tensors: list[c_void_p], outputs: list[TensorInfo]
    ) -> list[c_void_p]:
        feeds = (GraphOutput * len(inputs))(*map(self._find, inputs))
        values = (c_void_p * len(inputs))(*tensors)
        fetches = (GraphOutput * len(outputs))(*map(self._find, outputs))
        results = (c_void_p * len(outputs))()
        with status_checked() as status:
            self._library.TF_SessionRun(
                self._session,
                None,
                feeds,
                values,
                len(inputs),
                fetches,
                results,
                len(outputs),
                None,
                0,
                None,
                status,
            )
        return [c_void_p(tensor) for tensor in results]

    def _find(self, tensor: TensorInfo) -> GraphOutput:
        """Return where a tensor is; to ask the graph for it takes as long as to compute a value."""
        if tensor.name not in self._found:
            self._found[tensor.name] = self._output(tensor.name)
        return self._found[tensor.name]

    def _output(self, tensor: str) -> GraphOutput:
        name, _, index = tensor.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        if not operation:
            raise TensorFlowError(f"the graph has no operation {name!r}")
        return GraphOutput(operation, int(index or 0))

    def close(self) -> None:
        """Free session and graph; the model cannot be run afterwards."""
        if self._session:
            with status_checked() as status:
                self._library.TF_CloseSession(self._session, status)
            with status_checked() as status:
                self._library.TF_DeleteSession(self._session, status)
            self._session = c_void_p()
        if self._graph:
            self._library.TF_DeleteGraph(self._graph)
            self._graph = c_void_p()

    def __enter__(self) -> SavedModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_signatures(meta_graph: bytes) -> dict[str, SignatureDef]:
    """Return the signatures of a serialised MetaGraphDef."""
    signatures = meta_graph_pb2.MetaGraphDef.FromString(meta_graph).signature_def
    return {
        name: SignatureDef(
            inputs={k: TensorInfo(v.name, v.dtype) for k, v in signature.inputs.items()},
            outputs={k: TensorInfo(v.name, v.dtype) for k, v in signature.outputs.items()},
            defaults={k: _constant(v) for k, v in signature.defaults.items()},
            method_name=signature.method_name,
        )
        for name, signature in signatures.items()
    }


def _constant(proto: Any) -> np.ndarray:
    """Return a TensorProto's values: packed, or listed with the last one repeated."""
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    listed = {1: "float_val", 2: "double_val", 3: "int_val", 7: "string_val", 9: "int64_val"}
    values = list(getattr(proto, listed.get(proto.dtype, "bool_val")))
    dtype = np.dtype(object if proto.dtype == STRING else NUMPY_TYPES[proto.dtype])
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    missing = int(np.prod(shape)) - len(values)
    filler = values[-1:] or [b"" if proto.dtype == STRING else 0]
    return np.array(values + filler * missing, dtype).reshape(shape)


def _complete(signature: SignatureDef, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the feeds, checked, with the defaults of inputs left out."""
    for name in feeds:
        if name not in signature.inputs:
            raise LookupError(f"there is no input {name!r}; inputs: {sorted(signature.inputs)}")
    complete = {}
    for name, tensor in signature.inputs.items():
        if name not in feeds and name not in signature.defaults:
            raise LookupError(f"input {name!r} is left out and has no default")
        array = np.asarray(feeds[name] if name in feeds else signature.defaults[name])
        complete[name] = _checked(name, array, tensor)
    return complete


def _checked(name: str, array: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    """Return the array if it has the input's type."""
    expected = NUMPY_TYPES.get(tensor.data_type, bytes).__name__
    if data_type(array) != tensor.data_type:
        raise TypeError(f"input {name!r} takes {expected}, got {array.dtype}")
    if array.dtype == object:
        for kind in set(map(type, array.reshape(-1).tolist())):
            if not issubclass(kind, bytes):
                raise TypeError(f"input {name!r} takes {expected}, got {kind.__name__}")
    return array
