"""TensorFlow's C API as Python functions: libtensorflow_cc of TensorFlow's wheel, through ctypes.

The functions convert numpy arrays to TF_Tensors and back. TensorFlow's Python code is not imported,
every function has its types declared, and what is allocated here is freed here.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import importlib.util
import os
from collections.abc import Iterator, Sequence
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_void_p
from typing import Any

import numpy as np

# TF_DataType of c_api's tf_datatype.h, which the protos' DataType shares.
STRING = 7
NUMPY_TYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_}
_TENSOR_TYPES = {np.dtype(numpy_type): code for code, numpy_type in NUMPY_TYPES.items()}
_STRING_BYTES = 24  # sizeof(TF_TString)


class TensorFlowError(RuntimeError):
    """TensorFlow refused a call; the message is its own."""


class GraphOutput(Structure):
    """TF_Output: the `index`-th output of an operation."""

    _fields_ = [("operation", c_void_p), ("index", c_int)]


class _Buffer(Structure):
    """TF_Buffer."""

    _fields_ = [("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p)]


_BUFFER, _OUTPUTS = POINTER(_Buffer), POINTER(GraphOutput)
_POINTERS, _DIMS = POINTER(c_void_p), POINTER(c_int64)

# name: (result, arguments), after tensorflow/c/c_api.h, tf_tensor.h, tf_status.h, tf_tstring.h.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "TF_NewStatus": (c_void_p, []),
    "TF_DeleteStatus": (None, [c_void_p]),
    "TF_GetCode": (c_int, [c_void_p]),
    "TF_Message": (c_char_p, [c_void_p]),
    "TF_NewBuffer": (_BUFFER, []),
    "TF_DeleteBuffer": (None, [_BUFFER]),
    "TF_NewGraph": (c_void_p, []),
    "TF_DeleteGraph": (None, [c_void_p]),
    "TF_GraphOperationByName": (c_void_p, [c_void_p, c_char_p]),
    "TF_NewSessionOptions": (c_void_p, []),
    "TF_DeleteSessionOptions": (None, [c_void_p]),
    "TF_LoadSessionFromSavedModel": (
        c_void_p,
        [c_void_p, _BUFFER, c_char_p, POINTER(c_char_p), c_int, c_void_p, _BUFFER, c_void_p],
    ),
    "TF_CloseSession": (None, [c_void_p, c_void_p]),
    "TF_DeleteSession": (None, [c_void_p, c_void_p]),
    "TF_SessionRun": (
        None,
        [
            *(c_void_p, _BUFFER),  # session, options
            *(_OUTPUTS, _POINTERS, c_int),  # inputs, their values, how many
            *(_OUTPUTS, _POINTERS, c_int),  # outputs, their values, how many
            *(_POINTERS, c_int),  # operations to run besides, how many
            *(_BUFFER, c_void_p),  # metadata, status
        ],
    ),
    "TF_AllocateTensor": (c_void_p, [c_int, _DIMS, c_int, c_size_t]),
    "TF_DeleteTensor": (None, [c_void_p]),
    "TF_TensorType": (c_int, [c_void_p]),
    "TF_TensorData": (c_void_p, [c_void_p]),
    "TF_TensorByteSize": (c_size_t, [c_void_p]),
    "TF_NumDims": (c_int, [c_void_p]),
    "TF_Dim": (c_int64, [c_void_p, c_int]),
    "TF_StringInit": (None, [c_void_p]),
    "TF_StringCopy": (None, [c_void_p, c_char_p, c_size_t]),
    "TF_StringDealloc": (None, [c_void_p]),
    "TF_StringGetDataPointer": (c_void_p, [c_void_p]),
    "TF_StringGetSize": (c_size_t, [c_void_p]),
}


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """Load libtensorflow_cc and declare the functions used of it."""
    loaded = ctypes.CDLL(library_path())
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def library_path() -> str:
    """Return the path of the libtensorflow_cc in TensorFlow's wheel, importing nothing.

    Raises:
      FileNotFoundError: TensorFlow is not installed, or its wheel has no such library.
    """
    spec = importlib.util.find_spec("tensorflow")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        paths = sorted(glob.glob(os.path.join(glob.escape(folder), "libtensorflow_cc.*")))
        if paths:
            return paths[0]
    raise FileNotFoundError(f"no libtensorflow_cc in the tensorflow package {folders}")


def data_type(array: np.ndarray) -> int | None:
    """Return the TF_DataType of an array, whose objects are `bytes`; None if there is none."""
    return STRING if array.dtype == object else _TENSOR_TYPES.get(array.dtype)


@contextlib.contextmanager
def status_checked() -> Iterator[c_void_p]:
    """Yield a TF_Status for one call; raise the error that the call puts into it.

    Raises:
      TensorFlowError: the status is not OK.
    """
    lib = library()
    status = c_void_p(lib.TF_NewStatus())
    try:
        yield status
        if lib.TF_GetCode(status):
            raise TensorFlowError(lib.TF_Message(status).decode(errors="replace"))
    finally:
        lib.TF_DeleteStatus(status)


def new_tensor(array: np.ndarray) -> c_void_p:
    """Return a TF_Tensor with the array's values; free it with `delete_tensor`."""
    lib = library()
    dims = (c_int64 * array.ndim)(*array.shape)
    code = data_type(array)
    size = array.size * _STRING_BYTES if code == STRING else array.nbytes
    tensor = c_void_p(lib.TF_AllocateTensor(code, dims, array.ndim, size))
    data = lib.TF_TensorData(tensor) or 0  # null where there are no values
    if code != STRING:
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor
    texts: Sequence[bytes] = array.reshape(-1).tolist()
    for place, text in zip(range(data, data + size, _STRING_BYTES), texts, strict=True):
        lib.TF_StringInit(place)
        lib.TF_StringCopy(place, text, len(text))
    return tensor


def delete_tensor(tensor: c_void_p, texts: int = 0) -> None:
    """Free a TF_Tensor; of one that `new_tensor` has made of texts, also those."""
    lib = library()
    if texts:
        data = lib.TF_TensorData(tensor)
        for number in range(texts):  # deleting a tensor frees only the strings' headers
            lib.TF_StringDealloc(data + number * _STRING_BYTES)
    lib.TF_DeleteTensor(tensor)


def array_of(tensor: c_void_p) -> np.ndarray:
    """Return a copy of a TF_Tensor's values."""
    lib = library()
    shape = [lib.TF_Dim(tensor, i) for i in range(lib.TF_NumDims(tensor))]
    code, data = lib.TF_TensorType(tensor), lib.TF_TensorData(tensor) or 0
    if code == STRING:
        texts = np.empty(int(np.prod(shape)), dtype=object)
        for i in range(len(texts)):
            at = data + i * _STRING_BYTES
            texts[i] = ctypes.string_at(lib.TF_StringGetDataPointer(at), lib.TF_StringGetSize(at))
        return texts.reshape(shape)
    raw = ctypes.string_at(data, lib.TF_TensorByteSize(tensor)) if data else b""
    return np.frombuffer(raw, NUMPY_TYPES[code]).reshape(shape).copy()
