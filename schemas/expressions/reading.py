"""Reads sqlglot's tree of an expression as the canonical one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.columns import Column
from schemas.errors import did_you_mean
from schemas.expressions.calls import ExpressionError, call, case, cast
from schemas.expressions.functions import ALIASES, FUNCTIONS, PARTS, CallSignatures
from schemas.expressions.tree import ColumnValue, Constant, Node
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    INTERVAL,
    NULL,
    NUMBER,
    TEXT,
    TIMESTAMP,
    type_of,
)

if TYPE_CHECKING:
    from sqlglot import exp

_AGGREGATES = ("avg", "count", "max", "mean", "median", "min", "quantile", "stddev", "sum", "mode")

_BINARY = {
    "And": "and",
    "Or": "or",
    "EQ": "=",
    "NEQ": "<>",
    "LT": "<",
    "LTE": "<=",
    "GT": ">",
    "GTE": ">=",
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "IntDiv": "//",
    "Mod": "%",
    "Pow": "power",
    "DPipe": "||",
    "Like": "like",
    "ILike": "ilike",
    "NullSafeEQ": "is not distinct from",
    "NullSafeNEQ": "is not distinct from",
}
_NEGATED = ("NullSafeNEQ",)
_CAST_TO = {
    "boolean": BOOLEAN,
    "int": INTEGER,
    "bigint": INTEGER,
    "double": NUMBER,
    "date": DATE,
    "text": TEXT,
    "varchar": TEXT,
    "timestamp": TIMESTAMP,
    "timestampntz": TIMESTAMP,
}
_MICROSECONDS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 10**6,
    "MINUTE": 60 * 10**6,
    "HOUR": 3_600 * 10**6,
    "DAY": 86_400 * 10**6,
    "WEEK": 7 * 86_400 * 10**6,
}


class SyntaxReader:
    """Reads sqlglot's nodes as typed ones.

    Args:
      columns: the columns that an expression may use.
      functions: more functions than those of a row.
    """

    def __init__(self, columns: Sequence[Column], functions: Mapping[str, CallSignatures]) -> None:
        self._types = {column.name: type_of(column) for column in columns}
        self._functions = functions

    def read(self, node: exp.Expression) -> Node:
        """Return a node with its type.

        Raises:
          ExpressionError: it is not for a row, or its parts do not fit.
        """
        kind = type(node).__name__
        if kind in _BINARY:
            return self._binary(node, kind)
        if kind in _READERS:
            return _READERS[kind](self, node)
        raise ExpressionError(
            f"{node.sql('duckdb')[:80]!r} is not for a row ({kind})",
            expected="columns, constants, operators, and functions of one row's values",
        )

    def _all(self, nodes: Sequence[exp.Expression]) -> list[Node]:
        return [self.read(node) for node in nodes]

    def _binary(self, node: exp.Expression, kind: str) -> Node:
        found = call(_BINARY[kind], self._all([node.this, node.expression]))
        return call("not", [found]) if kind in _NEGATED or node.args.get("negate") else found

    def _column(self, node: exp.Expression) -> Node:
        name = ".".join(part.name for part in node.parts)
        if name not in self._types:
            raise ExpressionError(
                f"there is no column {name!r}; {did_you_mean(name, self._types)}",
                remedy="write texts in single quotes" if node.this.args.get("quoted") else None,
            )
        return ColumnValue(name, self._types[name])

    def _literal(self, node: exp.Expression) -> Node:
        text = node.this
        if node.is_string:
            return Constant(text, TEXT)
        if text.isdigit():
            if int(text) >= 2**63:
                raise ExpressionError(f"{text} does not fit 64 bits")
            return Constant(int(text), INTEGER)
        if not math.isfinite(number := float(text)):
            raise ExpressionError(f"{text} is not finite")
        return Constant(number, NUMBER)

    def _negative(self, node: exp.Expression) -> Node:
        value = self.read(node.this)
        if isinstance(value, Constant) and value.type in (INTEGER, NUMBER):
            return Constant(-value.value, value.type)  # type: ignore[operator]
        return call("negative", [value])

    def _is(self, node: exp.Expression) -> Node:
        value, right = self.read(node.this), self.read(node.expression)
        if not isinstance(right, Constant) or right.type not in (NULL, BOOLEAN):
            raise ExpressionError("`is` has another word after it than null, true or false")
        if right.value is None:
            return call("is null", [value])
        same = value if right.value else call("not", [value])
        return call("coalesce", [same, Constant(False, BOOLEAN)])

    def _in(self, node: exp.Expression) -> Node:
        if not node.expressions:
            raise ExpressionError(
                "`in` has something else than values in brackets", expected="x in ('a', 'b')"
            )
        return call("in", self._all([node.this, *node.expressions]))

    def _between(self, node: exp.Expression) -> Node:
        if node.args.get("symmetric"):
            raise ExpressionError("`between symmetric` does not exist here")
        value, low, high = self._all([node.this, node.args["low"], node.args["high"]])
        return call("and", [call(">=", [value, low]), call("<=", [value, high])])

    def _case(self, node: exp.Expression) -> Node:
        branches = node.args.get("ifs", [node])
        default = node.args.get("default") or node.args.get("false")
        conditions = self._all([branch.this for branch in branches])
        if "ifs" in node.args and node.this is not None:
            subject = self.read(node.this)
            conditions = [call("=", [subject, value]) for value in conditions]
        values = self._all([branch.args["true"] for branch in branches])
        return case(
            conditions, [*values, Constant(None, NULL) if default is None else self.read(default)]
        )

    def _cast(self, node: exp.Expression) -> Node:
        to = node.args["to"]
        wanted = None if to.expressions else _CAST_TO.get(getattr(to.this, "name", "").lower())
        if wanted is None:
            raise ExpressionError(
                f"a cast to {to.sql('duckdb')} does not exist here",
                expected="boolean, bigint, double, varchar, timestamp or date",
            )
        return cast(self.read(node.this), wanted)

    def _interval(self, node: exp.Expression) -> Node:
        unit = node.args["unit"].name.upper().removesuffix("S") if node.args.get("unit") else ""
        number = getattr(node.this, "name", "")
        if unit not in _MICROSECONDS or not number.isdigit() or int(number) > 2**31:
            raise ExpressionError(
                f"{node.sql('duckdb')} is not an interval of constant length",
                expected=f"interval 3 hour; units: {', '.join(_MICROSECONDS).lower()}",
            )
        return Constant(int(number) * _MICROSECONDS[unit], INTERVAL)

    def _extract(self, node: exp.Expression) -> Node:
        part = Constant(node.this.name.lower(), TEXT)
        return call("date_part", [part, self.read(node.expression)])

    def _function(self, node: exp.Expression) -> Node:
        written = str(node.this).lower()
        name = ALIASES.get(written, written)
        arguments = list(node.expressions)
        if len(arguments) == 1 and type(arguments[0]).__name__ == "Distinct":
            name, arguments = f"{name} distinct", list(arguments[0].expressions)
        if name in PARTS:
            return call("date_part", [Constant(name, TEXT), *self._all(arguments)])
        if name not in FUNCTIONS and name not in self._functions:
            raise self._unknown(name)
        if len(arguments) == 1 and type(arguments[0]).__name__ == "Star":
            arguments = []
        return call(name, self._all(arguments), self._functions)

    def _unknown(self, name: str) -> ExpressionError:
        if name in _AGGREGATES:
            return ExpressionError(
                f"{name} is an aggregate, but the expression has the values of one row",
                expected="functions of one row's values",
            )
        words = [each for each in FUNCTIONS if each[0].isalpha() and " " not in each]
        known = {*words, *ALIASES, *PARTS, *self._functions}
        hint = did_you_mean(name, known)
        return ExpressionError(f"there is no function {name!r} for expressions; {hint}")


_READERS: dict[str, Callable[[SyntaxReader, Any], Node]] = {
    "Anonymous": SyntaxReader._function,
    "Between": SyntaxReader._between,
    "Boolean": lambda _, node: Constant(bool(node.this), BOOLEAN),
    "Case": SyntaxReader._case,
    "Cast": SyntaxReader._cast,
    "Column": SyntaxReader._column,
    "Extract": SyntaxReader._extract,
    "If": SyntaxReader._case,
    "In": SyntaxReader._in,
    "Interval": SyntaxReader._interval,
    "Is": SyntaxReader._is,
    "Literal": SyntaxReader._literal,
    "Neg": SyntaxReader._negative,
    "Not": lambda reader, node: call("not", [reader.read(node.this)]),
    "Null": lambda _reader, _node: Constant(None, NULL),
    "Paren": lambda reader, node: reader.read(node.this),
    "TryCast": SyntaxReader._cast,
}
