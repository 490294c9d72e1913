"""The canonical tree of an expression, which every back end computes.

Each node has its type, and conversions are nodes of their own. So a back end needs neither names
nor rules of SQL: it has an implementation for each function in `functions.FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from schemas.expressions.value_types import ValueType


@dataclass(frozen=True)
class ColumnValue:
    """The value of a column."""

    name: str
    type: ValueType


@dataclass(frozen=True)
class Constant:
    """A constant.

    Attributes:
      value: None for null; of a timestamp or interval microseconds, of a date days, since 1970.
      type: its type.
    """

    value: bool | int | float | str | None
    type: ValueType


@dataclass(frozen=True)
class FunctionCall:
    """A function or operator applied to values.

    Attributes:
      function: its name in the table of functions.
      arguments: the values.
      type: of the result.
    """

    function: str
    arguments: tuple[Node, ...]
    type: ValueType


Node = ColumnValue | Constant | FunctionCall


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
      text: as it is written.
      columns: the columns that it uses, each once, in the order of their first use.
      tree: what it computes.
    """

    text: str
    columns: tuple[str, ...]
    tree: Node

    @property
    def type(self) -> ValueType:
        """The type of the result."""
        return self.tree.type


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, parents first, in the order of the text."""
    yield node
    if isinstance(node, FunctionCall):
        for argument in node.arguments:
            yield from walk(argument)


def rebuilt(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return the tree with other nodes in the place of some.

    Args:
      node: the root.
      change: returns what replaces a node and all below it; None to keep it.
    """
    if (changed := change(node)) is not None:
        return changed
    if isinstance(node, FunctionCall):
        return replace(node, arguments=tuple(rebuilt(a, change) for a in node.arguments))
    return node
