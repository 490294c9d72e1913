"""Functions of numbers: float64, and int64 whose results beyond 64 bits are null."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from components.expressions.tensors.logic import Arguments, Implementation, strict
from components.expressions.tensors.values import Value, all_known, constant_of, finite, tensors
from schemas.expressions.tree import FunctionCall
from schemas.expressions.value_types import NUMBER

_SMALLEST = -(2**63)
_and, _xor = tf.bitwise.bitwise_and, tf.bitwise.bitwise_xor


def _by_type(whole: Callable[..., Any], real: Callable[..., Any]) -> Implementation:
    """Return an implementation for integers and one for numbers.

    `whole` takes int64 tensors and returns one, and where it is exact; `real` returns float64.
    """

    def of(node: FunctionCall, arguments: Arguments) -> Value:
        known = all_known(arguments)
        if node.type == NUMBER:
            return finite(real(*tensors(arguments)), known)
        values, exact = whole(*tensors(arguments))
        return Value(values, known & exact)

    return of


def _real(function: Callable[..., Any]) -> Implementation:
    return lambda _, arguments: finite(function(*tensors(arguments)), all_known(arguments))


def _plus(a: Any, b: Any) -> tuple[Any, Any]:
    total = a + b  # wraps around, and then has another sign than both
    return total, _and(_xor(a, total), _xor(b, total)) >= 0


def _minus(a: Any, b: Any) -> tuple[Any, Any]:
    rest = a - b
    return rest, _and(_xor(a, b), _xor(a, rest)) >= 0


def _times(a: Any, b: Any) -> tuple[Any, Any]:
    product = a * b
    back = tf.truncatediv(product, _divisor(b))
    exact = tf.where(tf.equal(b, -1), tf.not_equal(a, _SMALLEST), tf.equal(back, a))
    return product, tf.equal(b, 0) | exact


def _divisor(b: Any) -> Any:
    """Return a divisor by which the processor can divide every int64: not 0 and not -1."""
    return tf.where(tf.equal(b, 0) | tf.equal(b, -1), tf.ones([], tf.int64), b)


def _quotient(a: Any, b: Any) -> tuple[Any, Any]:
    negative = tf.equal(b, -1)
    values = tf.where(negative, -a, tf.truncatediv(a, _divisor(b)))
    return values, tf.not_equal(b, 0) & ~(negative & tf.equal(a, _SMALLEST))


def _remainder(a: Any, b: Any) -> tuple[Any, Any]:
    return tf.truncatemod(a, _divisor(b)), tf.not_equal(b, 0)


def _of_one(function: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    return lambda a: (function(a), tf.not_equal(a, _SMALLEST))


def _round(node: FunctionCall, arguments: Arguments) -> Value:
    """Round half away from zero, to a number of digits after the point if there is one."""
    values, known = arguments[0].values, all_known(arguments)
    if len(node.arguments) == 1:
        return finite(_rounded(values), known)
    with np.errstate(over="ignore"):
        digits = constant_of(node, 1) or 0
        factor = float(np.float64(10.0) ** abs(digits))
    if digits < 0:
        near = _rounded(values / factor) * factor
        return finite(tf.where(tf.math.is_finite(near), near, tf.zeros_like(near)), known)
    near = _rounded(values * factor) / factor
    return finite(tf.where(tf.math.is_finite(near), near, values), known)


def _rounded(x: Any) -> Any:
    whole = _truncated(x)
    return whole + tf.where(tf.abs(x - whole) >= 0.5, tf.sign(x), tf.zeros([], tf.float64))


def _truncated(x: Any) -> Any:
    return tf.where(x < 0, tf.math.ceil(x), tf.math.floor(x))


def _logarithm(base: float, lowest: int, highest: int) -> Callable[[Any], Any]:
    """Return a logarithm that is exact for the powers of its base."""
    powers = np.array([float(f"1e{n}") if base == 10 else 2.0**n for n in range(lowest, highest)])

    def of(x: Any) -> Any:
        found = tf.math.log(x) / math.log(base)
        near = tf.clip_by_value(tf.round(found), lowest, highest - 1)
        place = tf.cast(tf.where(tf.math.is_nan(near), 0.0, near), tf.int32) - lowest
        return tf.where(tf.equal(tf.gather(tf.constant(powers), place), x), near, found)

    return of


def _cbrt(x: Any) -> Any:
    return tf.sign(x) * tf.pow(tf.abs(x), 1 / 3)


ARITHMETIC: dict[str, Implementation] = {
    "+": _by_type(_plus, tf.add),
    "-": _by_type(_minus, tf.subtract),
    "*": _by_type(_times, tf.multiply),
    "/": _real(tf.divide),
    "//": _by_type(_quotient, tf.divide),
    "%": _by_type(_remainder, tf.truncatemod),
    "negative": _by_type(_of_one(tf.negative), tf.negative),
    "abs": _by_type(_of_one(tf.abs), tf.abs),
    "sign": strict(tf.sign),
    "power": _real(tf.pow),
    "round": _round,
    "ceil": strict(tf.math.ceil),
    "floor": strict(tf.math.floor),
    "trunc": strict(_truncated),
    "sqrt": _real(tf.sqrt),
    "cbrt": _real(_cbrt),
    "exp": _real(tf.exp),
    "ln": _real(tf.math.log),
    "log2": _real(_logarithm(2, -1_022, 1_024)),
    "log10": _real(_logarithm(10, -307, 309)),
    "sin": strict(tf.sin),
    "cos": strict(tf.cos),
    "tan": _real(tf.tan),
    "asin": _real(tf.asin),
    "acos": _real(tf.acos),
    "atan": strict(tf.atan),
    "atan2": strict(lambda y, x: tf.atan2(y + 0.0, x + 0.0)),
    "degrees": _real(lambda x: x * (180 / math.pi)),
    "radians": _real(lambda x: x * (math.pi / 180)),
    "pi": lambda _node, _arguments: Value(tf.constant(math.pi, tf.float64), tf.constant(True)),
}
