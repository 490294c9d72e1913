"""Conversions of values between types: null where a value has no counterpart."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from components.calendar import DAY
from components.expressions.tensors.letters import LOWER, changed
from components.expressions.tensors.logic import Arguments
from components.expressions.tensors.values import Value, dtype_of, finite
from schemas.expressions.tree import FunctionCall
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TIMESTAMP,
    ValueType,
)

_SPACE = r"[ \t\n\v\f\r]*"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = (
    rf"{_SPACE}\+?-?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?{_SPACE}"
)
_TRUE, _FALSE = "true|t|yes|y|1", "false|f|no|n|0"


def cast(node: FunctionCall, arguments: Arguments) -> Value:
    """Return a value as another type."""
    (value,), given = arguments, node.arguments[0].type
    if given == TEXT:
        return _number_of(value) if node.type == NUMBER else _boolean_of(value)
    if node.type == TEXT:
        return Value(_text_of(value.values, given), value.known)
    if node.type == INTEGER and given == NUMBER:
        whole = tf.round(value.values)  # halves to even
        fits = (whole >= -(2.0**63)) & (whole < 2.0**63)
        inside = tf.where(fits, whole, tf.zeros([], tf.float64))
        return Value(tf.cast(inside, tf.int64), value.known & fits)
    return Value(_converted(value.values, given, node.type), value.known)


def _converted(values: Any, given: ValueType, wanted: ValueType) -> Any:
    if given == TIMESTAMP and wanted == DATE:
        return values // DAY
    if given == DATE and wanted == TIMESTAMP:
        return values * DAY
    if wanted == BOOLEAN:
        return tf.not_equal(values, tf.zeros([], values.dtype))
    return tf.cast(values, dtype_of(wanted))


def _number_of(value: Value) -> Value:
    fits = tf.strings.regex_full_match(value.values, _NUMBER)
    digits = tf.strings.regex_replace(value.values, rf"^{_SPACE}\+|[ \t\n\v\f\r_]", "")
    return finite(tf.strings.to_number(tf.where(fits, digits, "0"), tf.float64), value.known & fits)


def _boolean_of(value: Value) -> Value:
    text = changed(value.values, LOWER)
    true, false = (tf.strings.regex_full_match(text, each) for each in (_TRUE, _FALSE))
    return Value(true, value.known & (true | false))


def _text_of(values: Any, given: ValueType) -> Any:
    if given == BOOLEAN:
        return tf.where(values, "true", "false")
    return tf.strings.as_string(values)
