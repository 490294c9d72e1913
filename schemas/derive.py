"""The section `derive:` of pipeline.yaml: new columns as SQL expressions, parsed and typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.columns import Column
from schemas.derived import DerivedColumn
from schemas.errors import ConfigError
from schemas.expressions import parse
from schemas.expressions.calls import ExpressionError, call
from schemas.expressions.tensor_limits import check_for_tensors
from schemas.expressions.tree import ColumnValue, Constant, Expression, Node, rebuilt
from schemas.expressions.tree_json import dumps
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TIMESTAMP,
    ValueType,
)
from schemas.types import BOOL, BOOL_TEXT, BYTES, FLOAT, INT, TIME, ColumnType

_KINDS: dict[ValueType, ColumnType] = {
    NUMBER: FLOAT,
    INTEGER: INT,
    TEXT: BYTES,
    BOOLEAN: BOOL,
    TIMESTAMP: TIME,
    DATE: TIME,
}


def read_derived(
    texts: Mapping[str, str], columns: tuple[Column, ...], *, where: str
) -> tuple[DerivedColumn, ...]:
    """Parse the expressions, each of which may use the columns before it.

    Args:
      texts: the expressions by the names of their columns.
      columns: the columns of schema.pbtxt.
      where: the path of pipeline.yaml.

    Raises:
      ConfigError: a name is taken, an expression is wrong, its value has a type that columns do not
        have, or TensorFlow cannot compute it.
    """
    known = {column.name: column for column in columns}
    found: dict[str, DerivedColumn] = {}
    for name, text in texts.items():
        place = f"{where}: derive.{name}"
        if name in known:
            raise ConfigError(
                f"the column {name!r} is derived, but schema.pbtxt has it, too",
                where=place,
                remedy="give the derived column another name",
            )
        known[name], found[name] = _read(
            name, text, known.values(), place, later=texts.keys() - {name}
        )
    return tuple(found.values())


def _read(
    name: str, text: str, known: Iterable[Column], where: str, *, later: Iterable[str]
) -> tuple[Column, DerivedColumn]:
    columns = tuple(known)
    expression = _parsed(text, columns, where, later)
    kind = _KINDS.get(expression.type)
    if kind is None:
        raise ConfigError(
            f"the expression {text!r} is {expression.type.name}, which no column is",
            where=where,
            expected=", ".join(each.name for each in _KINDS),
        )
    try:
        check_for_tensors(expression.tree)
    except ExpressionError as problem:
        raise ConfigError(
            problem.what, where=where, expected=problem.expected, remedy=problem.remedy
        ) from problem
    tree = _without_text_booleans(expression.tree, columns)
    derived = DerivedColumn(name, kind.name, expression.columns, text, dumps(tree))
    return derived.column, derived


def _parsed(text: str, columns: tuple[Column, ...], where: str, later: Iterable[str]) -> Expression:
    try:
        return parse(text, columns, where=where)
    except ConfigError as error:
        below = [each for each in later if f"no column {each!r}" in error.what]
        if not below:
            raise
        raise ConfigError(
            f"the expression {text!r} uses the derived column {below[0]!r} before it is defined",
            where=where,
            expected="raw columns, and derived columns that stand above it",
            remedy=f"move {below[0]} up",
        ) from error


def _without_text_booleans(tree: Node, columns: Iterable[Column]) -> Node:
    """Return the tree with booleans that examples hold as texts compared with the text for true."""
    true = {each.name: each.booleans[1] for each in columns if each.type is BOOL_TEXT}

    def compared(node: Node) -> Node | None:
        if isinstance(node, ColumnValue) and node.type == BOOLEAN and node.name in true:
            return call("=", [ColumnValue(node.name, TEXT), Constant(true[node.name], TEXT)])
        return None

    return rebuilt(tree, compared)
