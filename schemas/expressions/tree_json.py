"""Canonical trees as JSON, so that a worker computes an expression without a parser of SQL."""

from __future__ import annotations

import json
from typing import Any

from schemas.expressions.tree import ColumnValue, Constant, FunctionCall, Node
from schemas.expressions.value_types import INTERVAL, NULL, SCALARS, ValueType, list_of

_TYPES: dict[str, ValueType] = {
    each.name: each for each in (*SCALARS, INTERVAL, NULL, *map(list_of, SCALARS))
}


def dumps(tree: Node) -> str:
    """Return a tree as JSON.

    >>> dumps(ColumnValue("fare", _TYPES["number"]))
    '{"column": "fare", "type": "number"}'
    """
    return json.dumps(_plain(tree))


def loads(text: str) -> Node:
    """Parse the result of `dumps`."""
    return _node(json.loads(text))


def _plain(node: Node) -> dict[str, Any]:
    if isinstance(node, ColumnValue):
        return {"column": node.name, "type": node.type.name}
    if isinstance(node, Constant):
        return {"constant": node.value, "type": node.type.name}
    arguments = [_plain(argument) for argument in node.arguments]
    return {"function": node.function, "arguments": arguments, "type": node.type.name}


def _node(plain: dict[str, Any]) -> Node:
    kind = _TYPES[plain["type"]]
    if "column" in plain:
        return ColumnValue(plain["column"], kind)
    if "constant" in plain:
        return Constant(plain["constant"], kind)
    return FunctionCall(plain["function"], tuple(map(_node, plain["arguments"])), kind)
