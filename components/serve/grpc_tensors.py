"""Converts between TensorProto and numpy arrays, for messages from untrusted clients.

A message is checked before anything is allocated for it: no array is larger than the values that
were sent, or than the largest number of rows. TensorFlow is not imported.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from components.serve.failures import TOO_LARGE, UNIMPLEMENTED, RequestError
from components.serve.signature import NUMPY_TYPES, STRING, Tensor

# TensorFlow's numbers of the types that requests can have, from types.proto.
_NUMBERS = {
    "DT_FLOAT": 1,
    "DT_DOUBLE": 2,
    "DT_INT32": 3,
    "DT_UINT8": 4,
    "DT_INT16": 5,
    "DT_INT8": 6,
    STRING: 7,
    "DT_INT64": 9,
    "DT_BOOL": 10,
    "DT_UINT16": 17,
    "DT_UINT32": 22,
    "DT_UINT64": 23,
}
_NAMES = {number: name for name, number in _NUMBERS.items()}
# The field with the values of a type; the smaller integers share one.
_FIELDS = {
    "DT_FLOAT": "float_val",
    "DT_DOUBLE": "double_val",
    STRING: "string_val",
    "DT_INT64": "int64_val",
    "DT_BOOL": "bool_val",
    "DT_UINT32": "uint32_val",
    "DT_UINT64": "uint64_val",
}
_SMALL_INTEGERS = "int_val"
_VECTOR = (-1,)
_MOST = 2**48  # elements; more than any message has, and few enough for numpy's int64 counts
_DTYPES = {np.dtype(NUMPY_TYPES[name]): name for name in _NUMBERS}


def number_of(dtype: str) -> int:
    """Return TensorFlow's number of a type; 0, an invalid type, if requests cannot have it."""
    return _NUMBERS.get(dtype, 0)


def array_of(proto: Any, tensor: Tensor, where: str, most: int) -> np.ndarray:
    """Return a TensorProto as an array of the tensor's type and shape.

    Args:
      proto: the message.
      tensor: the tensor that receives it.
      where: the name for messages.
      most: the largest number of rows, and of elements that a single value may stand for.

    Raises:
      RequestError: it does not fit; the message begins with `where`.
    """
    if tensor.dtype not in NUMPY_TYPES:
        raise RequestError(f"{where}: requests cannot have {tensor.dtype}", UNIMPLEMENTED)
    if proto.dtype != _NUMBERS[tensor.dtype]:
        actual = _NAMES.get(proto.dtype, f"type {proto.dtype}")
        raise RequestError(f"{where}: {actual}, expected {tensor.dtype}")
    shape = _shape(proto, tensor, where)
    if tensor.batched and shape[0] > most:
        raise RequestError(f"{where}: {shape[0]} rows; at most {most} are taken", TOO_LARGE)
    if proto.tensor_content:
        return _of_content(proto.tensor_content, shape, tensor, where)
    return _of_values(proto, shape, tensor, where, most)


def fill_proto(proto: Any, array: np.ndarray) -> None:
    """Write an output into an empty TensorProto, value by value, as TensorFlow Serving does."""
    dtype = _DTYPES[array.dtype]
    proto.dtype = _NUMBERS[dtype]
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, _FIELDS.get(dtype, _SMALL_INTEGERS)).extend(array.reshape(-1).tolist())


def _shape(proto: Any, tensor: Tensor, where: str) -> tuple[int, ...]:
    shape = tuple([dim.size for dim in proto.tensor_shape.dim])
    expected = tensor.shape
    if expected == _VECTOR and len(shape) == 1 and 0 <= shape[0] <= _MOST:  # the usual case
        return shape
    fits = expected is None or (
        len(shape) == len(expected)
        and all(want in (-1, size) for size, want in zip(shape, expected, strict=True))
    )
    # numpy has at most 32 dimensions, and counts in int64 even if one of them is 0.
    possible = len(shape) <= 32 and min(shape, default=0) >= 0
    if (
        proto.tensor_shape.unknown_rank
        or not fits
        or not possible
        or math.prod(max(size, 1) for size in shape) > _MOST
    ):
        sizes = ", ".join("?" if size == -1 else str(size) for size in expected or ())
        text = "of unknown rank" if proto.tensor_shape.unknown_rank else f"{list(shape)[:32]}"
        raise RequestError(f"{where}: shape {text}, expected [{sizes}] of {tensor.dtype}")
    return shape


def _of_content(content: bytes, shape: tuple[int, ...], tensor: Tensor, where: str) -> np.ndarray:
    if tensor.dtype == STRING:
        return _of_packed_strings(content, shape, where)
    numpy_type = np.dtype(NUMPY_TYPES[tensor.dtype]).newbyteorder("<")
    if len(content) != math.prod(shape) * numpy_type.itemsize:
        raise RequestError(
            f"{where}: 'tensor_content' has {len(content)} bytes, expected"
            f" {math.prod(shape) * numpy_type.itemsize} for shape {list(shape)} of {tensor.dtype}"
        )
    if tensor.dtype == "DT_BOOL" and content.strip(b"\0\1"):
        raise RequestError(f"{where}: 'tensor_content' holds bytes that are neither 0 nor 1")
    return np.frombuffer(content, numpy_type).reshape(shape)


def _of_packed_strings(content: bytes, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Read the encoding of TensorFlow's C++ clients: all lengths as varints, then all bytes.

    Source: `EncodeStringList` in TensorFlow's tensor_coding.cc.
    """
    size = math.prod(shape)
    array = np.empty(min(size, len(content)), object)  # each length takes a byte or more
    lengths, start = _varints(content, len(array))
    if len(lengths) != size or start + sum(lengths) != len(content):
        raise RequestError(
            f"{where}: 'tensor_content' does not fit shape {list(shape)} of DT_STRING"
        )
    for index, length in enumerate(lengths):
        array[index] = content[start : start + length]
        start += length
    return array.reshape(shape)


def _varints(content: bytes, most: int) -> tuple[list[int], int]:
    """Return up to so many numbers from the beginning of bytes, and where they end."""
    numbers: list[int] = []
    number = shift = end = 0
    for end, byte in enumerate(content, 1):
        if len(numbers) == most:
            return numbers, end - 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
        elif shift > 28:  # 32 bits are five bytes
            break
    return numbers, end


def _of_values(
    proto: Any, shape: tuple[int, ...], tensor: Tensor, where: str, most: int
) -> np.ndarray:
    name = _FIELDS.get(tensor.dtype, _SMALL_INTEGERS)
    values = getattr(proto, name)
    size, given = math.prod(shape), len(values)
    # Missing values equal the last one, as in TensorFlow.
    if given != size and (not 0 < given < size or size > most):
        raise RequestError(
            f"{where}: {given} values in {name!r}, expected {size} for shape {list(shape)} of"
            f" {tensor.dtype}"
        )
    if tensor.dtype == STRING:
        array = np.empty(given, object)  # an array of fixed-width bytes would lose trailing NULs
        array[:] = values
    else:
        array = _numbers(values, tensor, where)
    if given != size:
        array = np.concatenate([array, np.repeat(array[-1:], size - given)])
    return array.reshape(shape)


def _numbers(values: Any, tensor: Tensor, where: str) -> np.ndarray:
    numpy_type = NUMPY_TYPES[tensor.dtype]
    if tensor.dtype in _FIELDS:
        return np.array(values, numpy_type)
    array, limits = np.array(values, np.int32), np.iinfo(numpy_type)
    outside = (array < limits.min) | (array > limits.max)
    if outside.any():
        raise RequestError(f"{where}: {array[outside][0]} is beyond the range of {tensor.dtype}")
    return array.astype(numpy_type)
