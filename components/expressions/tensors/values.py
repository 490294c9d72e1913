"""Values of expressions as tensors: which rows have one, and how columns become values and back."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from components.calendar import DAY
from components.column_tensors import numbers, rounded
from schemas.columns import LARGEST_INTEGER
from schemas.expressions.tree import Constant, FunctionCall
from schemas.expressions.value_types import BOOLEAN, DATE, NUMBER, TEXT, ValueType
from schemas.types import FLOAT, INT

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Value:
    """The value of a node in each row.

    Attributes:
      values: bool, int64, float64 or string, [rows] or a scalar; of a list ragged [rows, None].
        Where it is not known, it may be anything.
      known: bool [rows], or a scalar: false where the value is null.
    """

    values: Any
    known: Any


def dtype_of(kind: ValueType) -> tf.DType:
    """Return the type of the tensors of a type of values."""
    return {BOOLEAN: tf.bool, NUMBER: tf.float64, TEXT: tf.string}.get(kind, tf.int64)


def constant_value(node: Constant) -> Value:
    """Return a constant as a scalar."""
    dtype = dtype_of(node.type)
    if node.value is None:
        return Value(tf.zeros([], dtype), tf.constant(False))
    return Value(tf.constant(node.value, dtype), tf.constant(True))


def constant_of(node: FunctionCall, place: int) -> Any:
    """Return the constant that is an argument of a call; None for null."""
    argument = node.arguments[place]
    assert isinstance(argument, Constant)
    return argument.value


def column_value(tensor: Any, kind: ValueType) -> Value:
    """Return a raw or derived column, as treatments receive it, as a value.

    A missing list is a row of the stand-in for a missing value alone.
    """
    if isinstance(tensor, tf.RaggedTensor):
        assert kind.element is not None
        flat = column_value(tensor.flat_values, kind.element)
        unknown = tf.reduce_any(tensor.with_flat_values(~flat.known), axis=1)
        return Value(tensor.with_flat_values(flat.values), ~unknown)
    if tensor.dtype == tf.string:
        return Value(tensor, tf.not_equal(tensor, ""))
    if tensor.dtype.is_floating:
        wide = numbers([tensor])[:, 0]
        return Value(wide, tf.math.is_finite(wide))
    known = tf.not_equal(tensor, tf.constant(INT.missing, tf.int64))
    return Value(tf.equal(tensor, 1) if kind == BOOLEAN else tensor, known)


def as_column(value: Value, kind: ValueType) -> tf.Tensor:
    """Return a value as a column that treatments take; what is unknown has its type's stand-in.

    A number is float32, missing beyond its range. A whole number or time is missing beyond ±2**53.
    """
    values, known = value.values, value.known
    if kind == NUMBER:
        single = rounded(values)
        known &= tf.math.is_finite(single)
        return tf.where(known, single, tf.constant(FLOAT.missing, tf.float32))
    if kind == TEXT:
        return tf.where(known, values, "")
    whole = tf.cast(values, tf.int64) * (DAY if kind == DATE else 1)
    known &= (whole >= -LARGEST_INTEGER) & (whole <= LARGEST_INTEGER)
    return tf.where(known, whole, tf.constant(INT.missing, tf.int64))


def all_known(arguments: Iterable[Value]) -> Any:
    """Return the rows in which all are known."""
    return functools.reduce(tf.logical_and, (each.known for each in arguments), tf.constant(True))


def tensors(arguments: Sequence[Value]) -> list[Any]:
    """Return the tensors of values."""
    return [each.values for each in arguments]


def finite(values: Any, known: Any) -> Value:
    """Return float64 results: null where they are not finite, 0 where they would be subnormal.

    Some of TensorFlow's threads treat subnormal numbers as 0 and others do not.
    """
    flushed = tf.where(tf.abs(values) < _TINY, tf.zeros([], tf.float64), values)
    return Value(flushed, known & tf.math.is_finite(values))
