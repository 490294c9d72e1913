"""Parses an expression of SQL into the canonical tree: names, functions and types are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.expressions.calls import ExpressionError, require
from schemas.expressions.functions import CallSignatures
from schemas.expressions.tree import ColumnValue, Expression, Node, walk
from schemas.expressions.value_types import ValueType

_LONGEST = 10_000  # characters


def parse(
    text: str,
    columns: Sequence[Column],
    *,
    where: str,
    needs: ValueType | None = None,
    functions: Mapping[str, CallSignatures] | None = None,
) -> Expression:
    """Parse an expression in DuckDB's SQL.

    Args:
      text: the expression, such as `fare > 0 and company is not null`.
      columns: those that it may use, by their exact names.
      where: the place of the expression, for errors.
      needs: the type that the value must have; None for any.
      functions: more functions than those of a row, such as aggregates; `count(*)` is `count`
        without arguments, and `count(distinct x)` is "count distinct".

    Raises:
      ConfigError: it is not such an expression; names what is wrong and what is near.
    """
    try:
        tree = _parsed(text, columns, functions or {})
        if needs is not None:
            tree = require(tree, needs, "its value")
    except ExpressionError as problem:
        raise ConfigError(
            f"the expression {_cut(text)!r} is wrong: {problem.what}",
            where=where,
            expected=problem.expected,
            remedy=problem.remedy,
        ) from problem
    used = dict.fromkeys(node.name for node in walk(tree) if isinstance(node, ColumnValue))
    return Expression(text, tuple(used), tree)


def _parsed(text: str, columns: Sequence[Column], functions: Mapping[str, CallSignatures]) -> Node:
    from schemas.expressions.reading import SyntaxReader
    from schemas.expressions.syntax import syntax_tree

    if len(text) > _LONGEST:
        raise ExpressionError(f"it has {len(text):,} characters", expected=f"at most {_LONGEST:,}")
    try:
        tree = SyntaxReader(columns, functions).read(syntax_tree(text))
    except RecursionError:
        raise ExpressionError(
            "it is nested too deeply", remedy="use `in (…)` instead of many `or`, or fewer brackets"
        ) from None
    if not functions and not any(isinstance(node, ColumnValue) for node in walk(tree)):
        raise ExpressionError("it uses no column", expected="an expression over the columns")
    return tree


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
