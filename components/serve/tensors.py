"""Converts between JSON values and numpy arrays, as strictly as TensorFlow Serving does.

A value arrives as it was sent, or is refused. A float32 is the nearest one to the number, written
with a decimal point or without. A `RequestError` refuses whole numbers that a float64 would change,
numbers beyond the type's range, booleans for numbers, `3.0` for an integer and `null`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from components.serve import lists
from components.serve.failures import RequestError
from components.serve.json_text import OutOfRange, excerpt, kind
from components.serve.signature import NUMPY_TYPES, STRING, Tensor
from schemas.columns import FLOAT32_END, LARGEST_INTEGER, Column
from schemas.types import FLOAT_TEXT

_B64 = "b64"
_MAX_RANK = 32
_VECTOR = (-1,)
# Up to this number, a float64 represents every whole number.
_FORMATS = {np.float32: "f", np.float64: "d"}  # codes of struct


def array_of(value: Any, tensor: Tensor, where: str) -> np.ndarray:
    """Return a JSON value, or nested lists of them, as an array of the tensor's type and shape.

    Args:
      value: the value as parsed from JSON.
      tensor: the tensor that receives it.
      where: the name for messages.

    Raises:
      RequestError: it does not fit; the message begins with `where`.
    """
    if tensor.dtype not in NUMPY_TYPES:
        raise RequestError(f"{where}: JSON cannot have {tensor.dtype}", 501)
    if tensor.most:
        return lists.array_of(value, tensor, where, _converted)
    if tensor.shape == _VECTOR and type(value) is list:  # the usual case
        return _converted(value, tensor, where)
    flat, shape = _flattened(value, where)
    array = _converted(flat, tensor, where).reshape(shape)
    if not _fits(shape, tensor.shape):
        expected = [("?" if n == -1 else str(n)) for n in tensor.shape or ()]
        raise RequestError(
            f"{where}: shape [{', '.join(map(str, shape))}],"
            f" expected [{', '.join(expected)}] of {tensor.dtype}"
        )
    return array


def _converted(values: list[Any], tensor: Tensor, where: str) -> np.ndarray:
    convert = _CONVERTERS.get(tensor.dtype, _numbers)
    column = tensor.column
    if column is None or not column.type.is_read:
        return convert(values, tensor.dtype, where)
    return convert([written(value, column) for value in values], tensor.dtype, where)


def written(value: Any, column: Column) -> Any:
    """Return JSON's true and false, and numbers, as a column of text has them; others unchanged."""
    if column.type.is_boolean:
        return column.booleans[value] if type(value) is bool else value
    return repr(value) if column.type is FLOAT_TEXT and type(value) in (int, float) else value


def is_bytes(value: Any) -> bool:
    """Whether a value is `{"b64": "…"}`, which means bytes."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(_B64), str)


def to_bytes(value: Any, where: str) -> bytes:
    """Return a JSON string or `{"b64": "…"}` as bytes.

    Raises:
      RequestError: it is neither, or not base64.
    """
    if isinstance(value, bytes):  # not from JSON, but the default of an omitted value
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise RequestError(f"{where}: the string holds half of a surrogate pair") from None
    if not is_bytes(value):
        raise RequestError(
            f"{where}: {excerpt(value)}, expected a string or an object of base64 alone"
        )
    text: str = value[_B64]
    try:
        # As in TensorFlow Serving, the padding may be omitted, but nothing else may be wrong.
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise RequestError(f"{where}: unable to decode base64: {error}") from None


def texts_of(name: str, array: np.ndarray) -> list[bytes]:
    """Return every row of an output as JSON; a scalar, which has no rows, gives one value.

    A float has the shortest digits that parse to the same value. Text is a string; it is base64 if
    the output's name ends in `_bytes`, as in TensorFlow Serving, and if it is not UTF-8.
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype == object:
        as_bytes = name.endswith("_bytes")
        texts = [orjson.dumps(_text(value, as_bytes)) for value in flat.tolist()]
    else:
        # orjson knows the shortest digits of a float32; Python's float does not.
        texts = orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        if flat.dtype.kind == "f":  # types that orjson does not support
            for at in np.flatnonzero(~np.isfinite(flat)).tolist():
                texts[at] = json.dumps(float(flat[at])).encode()
    for axis in range(array.ndim - 1, 0, -1):
        size, count = array.shape[axis], math.prod(array.shape[:axis])
        texts = [list_of(texts[i * size : (i + 1) * size]) for i in range(count)]
    return texts if flat.size or array.ndim > 1 else []


def list_of(texts: Sequence[bytes]) -> bytes:
    """Return the JSON list of values that are encoded already."""
    return b"[%b]" % b",".join(texts)


def _text(value: bytes, as_bytes: bool) -> Any:
    if not as_bytes:
        with contextlib.suppress(UnicodeDecodeError):
            return value.decode()
    return {_B64: base64.b64encode(value).decode()}


def _flattened(value: Any, where: str) -> tuple[list[Any], tuple[int, ...]]:
    """Return the values of nested lists, and the shape given by the first list of each level."""
    shape: list[int] = []
    values = [value]
    while isinstance(values[0] if values else None, list):
        if len(shape) == _MAX_RANK:
            raise RequestError(f"{where}: lists are nested deeper than any tensor")
        size = len(values[0])
        for each in values:
            if not isinstance(each, list) or len(each) != size:
                actual = f"a list of {len(each)}" if isinstance(each, list) else kind(each)
                raise RequestError(f"{where}: {actual} beside a list of {size}")
        shape.append(size)
        values = list(chain.from_iterable(values))
    return values, tuple(shape)


def _numbers(values: list[Any], dtype: str, where: str) -> np.ndarray:
    numpy_type = NUMPY_TYPES[dtype]
    allowed = {int, float} if numpy_type in _FORMATS else {int}  # bool is a separate type
    kinds = set(map(type, values))
    if not kinds <= allowed:
        wrong = next(value for value in values if type(value) not in allowed)
        if isinstance(wrong, OutOfRange):
            raise RequestError(f"{where}: {excerpt(wrong)} is beyond the range of {dtype}")
        raise RequestError(f"{where}: {excerpt(wrong)}, expected {_expected(dtype)}")
    if numpy_type not in _FORMATS:
        return _integers(values, numpy_type, dtype, where)
    if int in kinds and numpy_type is np.float64:
        _check_exact(values, dtype, where)
    try:
        # struct converts floats four times as fast as numpy, and refuses numbers that are too
        # large for a float32.
        packed = struct.pack(f"={len(values)}{_FORMATS[numpy_type]}", *values)
    except (OverflowError, struct.error):  # struct.error is for an int
        lost = next(v for v in values if FLOAT32_END <= abs(v) != math.inf)
        raise RequestError(f"{where}: {excerpt(lost)} is beyond the range of {dtype}") from None
    return np.frombuffer(packed, numpy_type)


def _check_exact(values: list[Any], dtype: str, where: str) -> None:
    for value in values:
        if type(value) is int and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise RequestError(
                f"{where}: {excerpt(value)} would lose digits as {dtype}, which holds whole numbers"
                " within ±2**53"
            )


def _integers(values: list[int], numpy_type: type, dtype: str, where: str) -> np.ndarray:
    limits = np.iinfo(numpy_type)
    for value in values:
        if not limits.min <= value <= limits.max:
            raise RequestError(f"{where}: {excerpt(value)} is beyond the range of {dtype}")
    return np.array(values, numpy_type)


def _booleans(values: list[Any], dtype: str, where: str) -> np.ndarray:
    for value in values:
        if type(value) is not bool:
            raise RequestError(f"{where}: {excerpt(value)}, expected {_expected(dtype)}")
    return np.array(values, np.bool_)


def _texts(values: list[Any], _: str, where: str) -> np.ndarray:
    # An array of fixed-width bytes would lose trailing NULs.
    array = np.empty(len(values), dtype=object)
    try:
        array[:] = list(map(str.encode, values))  # the usual case
    except (TypeError, UnicodeEncodeError):
        array[:] = [to_bytes(value, where) for value in values]
    return array


_CONVERTERS = {STRING: _texts, "DT_BOOL": _booleans}


def _expected(dtype: str) -> str:
    if dtype == "DT_BOOL":
        return "true or false"
    whole = "" if dtype in ("DT_FLOAT", "DT_DOUBLE") else " whole, written without a point,"
    return f"a number{whole} for {dtype}"


def _fits(shape: tuple[int, ...], expected: tuple[int, ...] | None) -> bool:
    if expected is None:
        return True
    return len(shape) == len(expected) and all(
        want in (-1, size) for size, want in zip(shape, expected, strict=True)
    )
