"""Functions of truth values, comparisons and choices, with nulls as SQL has them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from components.expressions.tensors.values import Value, all_known, tensors
from schemas.expressions.tree import FunctionCall

Arguments = Sequence[Value]
Implementation = Callable[[FunctionCall, Arguments], Value]


def strict(function: Callable[..., Any]) -> Implementation:
    """Return an implementation that is null where an argument is, and else what ops return."""
    return lambda _, arguments: Value(function(*tensors(arguments)), all_known(arguments))


def _and(_: FunctionCall, arguments: Arguments) -> Value:
    both = functools.reduce(tf.logical_and, (each.values | ~each.known for each in arguments))
    return Value(both, all_known(arguments) | ~both)


def _or(_: FunctionCall, arguments: Arguments) -> Value:
    either = functools.reduce(tf.logical_or, (each.values & each.known for each in arguments))
    return Value(either, all_known(arguments) | either)


def _is_null(_: FunctionCall, arguments: Arguments) -> Value:
    return Value(~arguments[0].known, tf.constant(True))


def _same(_: FunctionCall, arguments: Arguments) -> Value:
    one, other = arguments
    equal = one.known & other.known & tf.equal(one.values, other.values)
    return Value(equal | ~(one.known | other.known), tf.constant(True))


def _in(_: FunctionCall, arguments: Arguments) -> Value:
    sought, *others = arguments
    hits = (sought.known & each.known & tf.equal(sought.values, each.values) for each in others)
    found = functools.reduce(tf.logical_or, hits)
    return Value(found, found | all_known(arguments))


def _coalesce(_: FunctionCall, arguments: Arguments) -> Value:
    return functools.reduce(
        lambda rest, each: chosen(each.known, each, rest), reversed(arguments[:-1]), arguments[-1]
    )


def _case(_: FunctionCall, arguments: Arguments) -> Value:
    *pairs, found = arguments
    for condition, value in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
        found = chosen(condition.values & condition.known, value, found)
    return found


def chosen(condition: Any, one: Value, other: Value) -> Value:
    """Return the one value where a condition is true, else the other."""
    return Value(
        tf.where(condition, one.values, other.values), tf.where(condition, one.known, other.known)
    )


def _nullif(_: FunctionCall, arguments: Arguments) -> Value:
    value, other = arguments
    return Value(value.values, value.known & ~(other.known & tf.equal(value.values, other.values)))


def _extreme(compare: Callable[..., Any]) -> Implementation:
    """Return the choice of the greatest or least value; nulls do not count."""

    def better(best: Value, each: Value) -> Value:
        wins = each.known & (~best.known | compare(_ordered(each.values), _ordered(best.values)))
        return chosen(wins, each, best)

    return lambda _, arguments: functools.reduce(better, arguments)


def _ordered(values: Any) -> Any:
    return tf.cast(values, tf.int64) if values.dtype == tf.bool else values


def _compared(compare: Callable[..., Any]) -> Implementation:
    return strict(lambda one, other: compare(_ordered(one), _ordered(other)))


LOGIC: dict[str, Implementation] = {
    "and": _and,
    "or": _or,
    "not": strict(tf.logical_not),
    "is null": _is_null,
    "is not distinct from": _same,
    "=": strict(tf.equal),
    "<>": strict(tf.not_equal),
    "<": _compared(tf.less),
    "<=": _compared(tf.less_equal),
    ">": _compared(tf.greater),
    ">=": _compared(tf.greater_equal),
    "in": _in,
    "coalesce": _coalesce,
    "case": _case,
    "nullif": _nullif,
    "greatest": _extreme(tf.greater),
    "least": _extreme(tf.less),
}
