"""Parses the rules of `validation.rules`: conditions on rows, or on figures of a split.

A rule with a figure, such as `mean(fare)`, is about a whole split, any other one about each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.expressions import ColumnValue, Expression, FunctionCall, Node, parse
from schemas.expressions.engine import require_duckdb
from schemas.expressions.functions import ANY, LIST, CallSignature, Const
from schemas.expressions.tree import Constant, walk
from schemas.expressions.value_types import BOOLEAN, INTEGER, NUMBER
from schemas.types import FLOAT
from schemas.validation import Rule

PREVIOUS = "previous"

_OF_ANY = (CallSignature((ANY,), INTEGER), CallSignature((LIST,), INTEGER))
_OF_NUMBER = (CallSignature((NUMBER,), NUMBER),)
_KEPT = (CallSignature((INTEGER,), INTEGER), *_OF_NUMBER)
FIGURES = {
    "count": (CallSignature((), INTEGER), *_OF_ANY),
    "distinct": _OF_ANY,
    "missing": tuple(CallSignature(each.parameters, NUMBER) for each in _OF_ANY),
    "mean": _OF_NUMBER,
    "stddev": _OF_NUMBER,
    "min": _KEPT,
    "max": _KEPT,
    "quantile": tuple(CallSignature((NUMBER, Const(q)), NUMBER) for q in (NUMBER, INTEGER)),
}

# Outside of quotes: `distinct` is a word of SQL, which cannot be a function there.
_DISTINCT = re.compile(r"""('[^']*'|"[^"]*")|\b(?:count\s*\(\s*distinct\b|distinct\s*\()""", re.I)
_NAME = "n_distinct"
_ALIASES = {_NAME: "distinct", "avg": "mean"}


@dataclass(frozen=True)
class Figure:
    """A figure of a split.

    Attributes:
      function: its name in `FIGURES`.
      column: of which column; "" for `count(*)`.
      quantile: which one, from 0 to 1; None for other functions.
    """

    function: str
    column: str = ""
    quantile: float | None = None

    def __str__(self) -> str:
        """Return it as rules have it."""
        more = "" if self.quantile is None else f", {self.quantile:g}"
        return f"{self.function}({self.column or '*'}{more})"


@dataclass(frozen=True)
class ParsedRule:
    """A rule, parsed.

    Attributes:
      name: its key in pipeline.yaml.
      options: as pipeline.yaml has it.
      expression: the condition.
      figures: by its calls in the expression; none for a rule about rows.
    """

    name: str
    options: Rule
    expression: Expression
    figures: Mapping[Node, Figure]

    @property
    def uses_previous(self) -> bool:
        """Whether it compares a figure with that of earlier data."""
        return bool(self.figures) and PREVIOUS in self.expression.columns


def parse_rules(
    rules: Mapping[str, Rule], columns: Sequence[Column], *, place: Callable[[str], str]
) -> tuple[ParsedRule, ...]:
    """Parse rules.

    Args:
      rules: by name.
      columns: the columns of schema.pbtxt.
      place: returns the place of a rule in pipeline.yaml by its name.

    Raises:
      ConfigError: an expression is wrong, or DuckDB is not installed.
    """
    if rules:
        require_duckdb("validation.rules", where=place(next(iter(rules))))
    return tuple(_parsed(name, rule, columns, place(name)) for name, rule in rules.items())


def _parsed(name: str, rule: Rule, columns: Sequence[Column], where: str) -> ParsedRule:
    own = {column.name for column in columns}
    known = [*columns]
    if PREVIOUS not in own:
        known.append(Column(PREVIOUS, FLOAT.name, serving=False))
    expression = parse(
        _DISTINCT.sub(_renamed, rule.expression),
        known,
        where=where,
        needs=BOOLEAN,
        functions={**FIGURES, **{alias: FIGURES[name] for alias, name in _ALIASES.items()}},
    )
    expression = Expression(rule.expression, expression.columns, expression.tree)
    figures: dict[Node, Figure] = {
        node: _figure(node, name, where)
        for node in walk(expression.tree)
        if isinstance(node, FunctionCall) and node.function in (*FIGURES, *_ALIASES)
    }
    parsed = ParsedRule(name, rule, expression, figures)
    if figures:
        _check_figures(parsed, where)
    elif PREVIOUS not in own and PREVIOUS in expression.columns:
        raise _wrong(name, "previous is for a rule with a figure", where, "count(*) > previous")
    elif not expression.columns:
        raise _wrong(name, "it has neither a column nor a figure", where, "fare > 0")
    return parsed


def _renamed(found: re.Match[str]) -> str:
    return found[1] or f"{_NAME}("


def _figure(node: FunctionCall, name: str, where: str) -> Figure:
    function = _ALIASES.get(node.function, node.function)
    if not node.arguments:
        return Figure(function)
    column = node.arguments[0]
    if isinstance(column, FunctionCall) and column.function == "cast":
        column = column.arguments[0]  # of an integer to a number
    if not isinstance(column, ColumnValue) or column.name == PREVIOUS:
        raise _wrong(name, f"{function} is of a column as it is", where, f"{function}(fare)")
    if function != "quantile":
        return Figure(function, column.name)
    quantile = node.arguments[1]
    assert isinstance(quantile, Constant)
    if not isinstance(quantile.value, (int, float)) or not 0 <= quantile.value <= 1:
        raise _wrong(name, "a quantile is between 0 and 1", where, "quantile(fare, 0.99) < 100")
    return Figure(function, column.name, float(quantile.value))


def _check_figures(rule: ParsedRule, where: str) -> None:
    """Check that a rule about a split has no value of a single row, and one previous figure."""
    inside = {id(below) for call in rule.figures for below in walk(call)}
    for node in walk(rule.expression.tree):
        if isinstance(node, ColumnValue) and id(node) not in inside and node.name != PREVIOUS:
            raise _wrong(
                rule.name,
                f"it mixes figures with the values of {node.name!r} in single rows",
                where,
                f"two rules, or a figure such as max({node.name})",
            )
    if rule.options.share:
        raise _wrong(rule.name, "share is for rules about rows", where, "a rule without share")
    kinds = set(rule.figures.values())
    if rule.uses_previous and any(kind.quantile is not None for kind in kinds):
        raise _wrong(
            rule.name,
            "statistics of previous data have no such quantile",
            where,
            "mean(fare) < 2 * previous",
        )
    if rule.uses_previous and len(kinds) != 1:
        raise _wrong(
            rule.name,
            "previous stands for one figure, and the rule has several",
            where,
            "count(*) > 0.8 * previous",
        )


def _wrong(name: str, what: str, where: str, example: str) -> ConfigError:
    return ConfigError(f"the rule {name!r} is wrong: {what}", where=where, expected=example)
