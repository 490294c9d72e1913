"""Writes an expression's tree as DuckDB's SQL, so that every undefined result is null.

DuckDB raises an error for some undefined results and has NaN or infinity for others, and versions
differ. Here each of them is null: see `schemas.expressions.functions`.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.expressions.tree import ColumnValue, Constant, FunctionCall, Node
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    INTERVAL,
    NUMBER,
    TEXT,
    TIMESTAMP,
)


def sql_of(node: Node, names: Mapping[str, str]) -> str:
    """Return SQL that computes a node.

    Args:
      node: the root of the tree.
      names: the SQL of each column's value.
    """
    if isinstance(node, ColumnValue):
        return names[node.name]
    if isinstance(node, Constant):
        return _constant(node)
    arguments = [sql_of(argument, names) for argument in node.arguments]
    if node.function == "case":
        return _case(arguments)
    if node.function == "cast":
        return _finite(f"TRY_CAST({arguments[0]} AS {node.type.sql})", node)
    if node.type == INTEGER and node.function in _EXACT:
        wide = [f"({argument})::HUGEINT" for argument in arguments]
        return f"TRY_CAST({_EXACT[node.function].format(*wide)} AS BIGINT)"
    whole = f"{node.function}({{all}})"
    template = _TEMPLATES.get(node.function, _NARROW.get((node.function, len(arguments)), whole))
    joined = {"all": ", ".join(arguments), "rest": ", ".join(arguments[1:])}
    return _finite(template.format(*arguments, **joined), node)


# Operators and functions of integers whose result may be beyond 64 bits: computed with 128.
_EXACT = {
    "+": "{0} + {1}",
    "-": "{0} - {1}",
    "*": "{0} * {1}",
    "//": "{0} // nullif({1}, 0)",
    "%": "{0} % nullif({1}, 0)",
    "negative": "-{0}",
    "abs": "abs({0})",
    "sign": "sign({0})",
    "list_sum": "list_sum({0}::HUGEINT[])",
}

# Of the others, those that are not written as NAME(arguments).
_TEMPLATES = {
    **{name: f"({{0}} {name} {{1}})" for name in ("and", "or", "=", "<>", "<", "<=", ">", ">=")},
    **{name: f"({{0}} {name} {{1}})" for name in ("+", "-", "*", "||", "like", "ilike")},
    "not": "(NOT {0})",
    "is null": "({0} IS NULL)",
    "is not distinct from": "({0} IS NOT DISTINCT FROM {1})",
    "/": "({0} / nullif({1}, 0))",
    "%": "({0} % nullif({1}, 0))",
    "negative": "(-{0})",
    "sign": "sign({0})::DOUBLE",
    "sqrt": "CASE WHEN {0} >= 0 THEN sqrt({0}) END",
    **{name: f"CASE WHEN {{0}} > 0 THEN {name}({{0}}) END" for name in ("ln", "log2", "log10")},
    **{name: f"CASE WHEN abs({{0}}) <= 1 THEN {name}({{0}}) END" for name in ("asin", "acos")},
    "in": "({0} IN ({rest}))",
    "date_trunc": "date_trunc({all})::TIMESTAMP",
}

# Functions, by their number of arguments, that take an integer of 32 bits.
_NARROW = {
    ("round", 2): "round({0}, {1}::INTEGER)",
    ("regexp_extract", 3): "regexp_extract({0}, {1}, {2}::INTEGER)",
}

# Functions of numbers whose result is finite whenever it is not null.
_SAFE = frozenset(
    {"abs", "sign", "sqrt", "ln", "log2", "log10", "asin", "acos", "atan", "atan2", "pi"}
    | {"ceil", "floor", "trunc", "negative", "coalesce", "greatest", "least", "nullif", "epoch"}
    | {"list_min", "list_max", "sin", "cos"}
)


def _finite(sql: str, node: FunctionCall) -> str:
    """Return SQL that is null where the value is not finite."""
    if node.type != NUMBER or node.function in _SAFE:
        return sql
    if node.function == "cast" and node.arguments[0].type != TEXT:
        return sql
    return f"nullif(nullif(nullif({sql}, 'NaN'::DOUBLE), 'inf'::DOUBLE), '-inf'::DOUBLE)"


def _case(arguments: list[str]) -> str:
    *pairs, default = arguments
    branches = [f"WHEN {pairs[i]} THEN {pairs[i + 1]}" for i in range(0, len(pairs), 2)]
    return f"CASE {' '.join(branches)} ELSE {default} END"


def _constant(node: Constant) -> str:
    """Return SQL for a constant, with its type."""
    value, kind = node.value, node.type
    if value is None:
        return "NULL" if kind.sql == "NULL" else f"NULL::{kind.sql}"
    if kind == TIMESTAMP:
        return f"make_timestamp({value}::BIGINT)"
    if kind == DATE:
        return f"(DATE '1970-01-01' + ({value})::INTEGER)"
    if kind == INTERVAL:
        return f"to_microseconds({value}::BIGINT)"
    if kind in (INTEGER, NUMBER, BOOLEAN):
        return f"({value!r})::{kind.sql}"
    return "'" + str(value).replace("'", "''") + "'"
