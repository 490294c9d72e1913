"""Functions of lists, which are ragged tensors [rows, None]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.expressions.tensors.logic import Arguments, Implementation
from components.expressions.tensors.texts import TEXTS
from components.expressions.tensors.values import Value, all_known, finite
from schemas.expressions.tree import FunctionCall
from schemas.expressions.value_types import NUMBER


def _length(node: FunctionCall, arguments: Arguments) -> Value:
    (value,) = arguments
    if isinstance(value.values, tf.RaggedTensor):
        return Value(tf.cast(value.values.row_lengths(), tf.int64), value.known)
    return TEXTS["length"](node, arguments)


def _contains(_: FunctionCall, arguments: Arguments) -> Value:
    lists, sought = (each.values for each in arguments)
    rows = tf.shape(lists.row_starts())
    by_value = tf.gather(tf.broadcast_to(sought, rows), lists.value_rowids())
    hits = lists.with_flat_values(tf.equal(lists.flat_values, by_value))
    return Value(tf.reduce_any(hits, axis=1), all_known(arguments))


def _reduced(function: Callable[..., Any]) -> Implementation:
    """Return what one value a list is made by; null without values."""

    def of(node: FunctionCall, arguments: Arguments) -> Value:
        (lists,) = arguments
        known = lists.known & (lists.values.row_lengths() > 0)
        values = function(lists.values, axis=1)
        return finite(values, known) if node.type == NUMBER else Value(values, known)

    return of


LISTS: dict[str, Implementation] = {
    "length": _length,
    "list_contains": _contains,
    "list_min": _reduced(tf.reduce_min),
    "list_max": _reduced(tf.reduce_max),
    "list_sum": _reduced(tf.reduce_sum),  # 1,000 values within 2**53 are within 64 bits
}
