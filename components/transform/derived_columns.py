"""Derived columns: adds to the raw columns what expressions compute of them, inside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from components.expressions.tensors.graph import computed
from components.expressions.tensors.values import as_column
from schemas.derived import DerivedColumn
from schemas.expressions.tree_json import loads


def with_derived(columns: Mapping[str, Any], derived: Iterable[DerivedColumn]) -> dict[str, Any]:
    """Return columns and derived ones, as treatments take them.

    Args:
      columns: raw ones, dense [rows] or ragged [rows, None].
      derived: the columns to compute, each after those that it uses.
    """
    every = dict(columns)
    for each in derived:
        tree = loads(each.tree)
        values = as_column(computed(tree, every), tree.type)
        # a value that is the same in all rows is a scalar so far
        every[each.name] = tf.ensure_shape(
            tf.broadcast_to(values, _rows(every[each.inputs[0]])), [None]
        )
    return every


def _rows(column: Any) -> Any:
    lists = isinstance(column, tf.RaggedTensor)
    return tf.shape(column.row_starts() if lists else column)
