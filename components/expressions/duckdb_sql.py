"""Writes trees of expressions as one query of DuckDB, in which every undefined result is null.

DuckDB raises an error for some undefined results and has NaN or infinity for others, and versions
differ. Here each of them is null: see `schemas.expressions.functions`. A value that SQL needs twice
is a column of an inner query, so that it is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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


def query(trees: Sequence[Node], names: Mapping[str, str], table: str) -> str:
    """Return the query that computes trees over a table, a column each.

    Args:
      trees: what to compute.
      names: the name in the table of each column.
      table: the table's name.
    """
    writer = _Writer(names)
    terms = [writer.checked(writer.term(tree)).sql for tree in trees]
    source = table
    for level in writer.levels:
        added = ", ".join(f"{sql} AS {name}" for sql, name in level.items())
        source = f"(SELECT *, {added} FROM {source})"  # noqa: S608 - of typed trees
    return f"SELECT {', '.join(terms)} FROM {source}"  # noqa: S608


@dataclass(frozen=True)
class _Term:
    """SQL for a value.

    Attributes:
      sql: the SQL.
      level: the number of inner queries that have the names in it.
      is_checked: whether it is finite or null.
      is_name: whether it is a name or a constant, which costs nothing to write again.
    """

    sql: str
    level: int = 0
    is_checked: bool = True
    is_name: bool = False


class _Writer:
    """Writes terms, and collects the columns of inner queries.

    Attributes:
      levels: the names of the columns by their SQL, of the innermost query first.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self.levels: list[dict[str, str]] = []

    def term(self, node: Node) -> _Term:
        """Return SQL for a node; a number may be infinite or NaN."""
        if isinstance(node, ColumnValue):
            return _Term(self._names[node.name], is_name=True)
        if isinstance(node, Constant):
            return _Term(_constant(node), is_name=True)
        arguments = [self.term(argument) for argument in node.arguments]
        carries = node.type == NUMBER and node.function in _CARRIES
        if not carries:
            arguments = [self.checked(argument) for argument in arguments]
        if node.function in _TWICE:
            arguments = [self._named(argument) for argument in arguments]
        return _Term(
            sql=_call(node, [argument.sql for argument in arguments]),
            level=max((argument.level for argument in arguments), default=0),
            is_checked=not carries and _is_finite(node),
        )

    def checked(self, term: _Term) -> _Term:
        """Return SQL that is null where a number is not finite."""
        if term.is_checked:
            return term
        named = self._named(term)
        sql = f"CASE WHEN isfinite({named.sql}) THEN {named.sql} END"
        return replace(named, sql=sql, is_checked=True, is_name=False)

    def _named(self, term: _Term) -> _Term:
        """Return the name of a column of an inner query that has this value."""
        if term.is_name:
            return term
        while len(self.levels) <= term.level:
            self.levels.append({})
        level = self.levels[term.level]
        name = level.setdefault(term.sql, f"v{term.level}_{len(level)}")
        return replace(term, sql=name, level=term.level + 1, is_name=True)


def _call(node: FunctionCall, arguments: list[str]) -> str:
    if node.function == "case":
        return _case(arguments)
    if node.function == "cast":
        return f"TRY_CAST({arguments[0]} AS {node.type.sql})"
    if node.function in _PLACED:
        text, *places = arguments
        arguments = [text, *(_within(text, place) for place in places)]
    if node.type == INTEGER and node.function in _EXACT:
        wide = [f"({argument})::HUGEINT" for argument in arguments]
        return f"TRY_CAST({_EXACT[node.function].format(*wide)} AS BIGINT)"
    whole = f"{node.function}({{all}})"
    if node.type == INTEGER and node.function == "list_sum":
        whole = "TRY_CAST(list_sum(({0})::HUGEINT[]) AS BIGINT)"
    template = _TEMPLATES.get(node.function, _NARROW.get((node.function, len(arguments)), whole))
    joined = {"all": ", ".join(arguments), "rest": ", ".join(arguments[1:])}
    return template.format(*arguments, **joined)


def _is_finite(node: FunctionCall) -> bool:
    """Return whether a call of finite values gives a finite one, or null."""
    if node.function == "cast":
        return node.type != NUMBER or node.arguments[0].type != TEXT
    return node.type != NUMBER or node.function in _SAFE


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
    "atan2": "atan2({0} + 0, {1} + 0)",  # a zero without a sign
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
    | {"ceil", "floor", "trunc", "case", "coalesce", "greatest", "least", "nullif", "epoch"}
    | {"list_min", "list_max", "sin", "cos"}
)

# Operators of numbers whose result is not finite if an argument is not: the last one is checked.
_CARRIES = frozenset({"+", "-", "*", "negative"})

# Functions of characters' places: beyond the text, their results depend on whether all texts of a
# batch are ASCII, and they fail for places beyond 32 bits.
_PLACED = frozenset({"substring", "left", "right"})

# Functions whose SQL has an argument twice.
_TWICE = frozenset({"/", "//", "%", "sqrt", "ln", "log2", "log10", "asin", "acos"}) | _PLACED


def _within(text: str, place: str) -> str:
    """Return SQL for a place in a text, the nearest one if it is beyond."""
    return (
        f"CASE WHEN {place} < -length({text}) THEN -length({text})"
        f" WHEN {place} > length({text}) THEN length({text}) + 1 ELSE {place} END"
    )


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
