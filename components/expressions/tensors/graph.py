"""Computes the tree of an expression over columns as the transform graph has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.expressions.tensors.arithmetic import ARITHMETIC
from components.expressions.tensors.casts import cast
from components.expressions.tensors.lists import LISTS
from components.expressions.tensors.logic import LOGIC, Implementation
from components.expressions.tensors.texts import TEXTS
from components.expressions.tensors.times import TIMES
from components.expressions.tensors.values import Value, column_value, constant_value
from schemas.expressions.tree import ColumnValue, Constant, Node

FUNCTIONS: dict[str, Implementation] = {
    **LOGIC,
    **ARITHMETIC,
    **TEXTS,
    **TIMES,
    **LISTS,
    "cast": cast,
}


def computed(tree: Node, columns: Mapping[str, Any]) -> Value:
    """Return the value of a tree in each row; a scalar if it is the same in all.

    Args:
      tree: without functions that `schemas.expressions.tensor_limits` refuses.
      columns: as treatments take them: dense [rows], or ragged [rows, None].
    """
    if isinstance(tree, ColumnValue):
        return column_value(columns[tree.name], tree.type)
    if isinstance(tree, Constant):
        return constant_value(tree)
    arguments = [computed(argument, columns) for argument in tree.arguments]
    return FUNCTIONS[tree.function](tree, arguments)
