"""The functions and operators of SQL expressions: one table of their names and signatures.

A back end has an implementation for each name. What is undefined is null in all of them: a division
by 0, the logarithm of a negative number, a result that is not finite or beyond 64 bits, a text that
cannot be cast.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.expressions.value_types import (
    BOOLEAN,
    INTEGER,
    INTERVAL,
    NUMBER,
    TEXT,
    TIMESTAMP,
    ValueType,
    list_of,
)

# Stand for the types of arguments: equal ones in a signature for a common type.
ANY = ValueType("any", "")  # of a scalar
ELEMENT = ValueType("element", "")  # of the values of the list in the signature
LIST = ValueType("list", "", ELEMENT)


@dataclass(frozen=True)
class Const:
    """A parameter that only a constant can fill.

    Attributes:
      type: its type.
      values: the texts that are allowed; none for any.
    """

    type: ValueType
    values: tuple[str, ...] = ()


Parameter = ValueType | Const


@dataclass(frozen=True)
class CallSignature:
    """Types of arguments, and of the result.

    Attributes:
      parameters: one for each argument.
      result: the type of the result; ANY or ELEMENT for what this is of the arguments.
      repeats: whether the last parameter takes any number of arguments, from one.
    """

    parameters: tuple[Parameter, ...]
    result: ValueType
    repeats: bool = False

    def spread(self, count: int) -> tuple[Parameter, ...] | None:
        """Return the parameters of so many arguments; None if it takes more or fewer."""
        missing = count - len(self.parameters)
        if missing == 0 or (missing > 0 and self.repeats):
            return (*self.parameters, *self.parameters[-1:] * missing)
        return None


CallSignatures = tuple[CallSignature, ...]

PARTS = (
    *("year", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear"),
    *("hour", "minute", "second"),
)
_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_PART, _UNIT = Const(TEXT, PARTS), Const(TEXT, _UNITS)
_PATTERN = Const(TEXT)


def _of(*parameters: Parameter, to: ValueType, repeats: bool = False) -> CallSignature:
    return CallSignature(parameters, to, repeats)


_ARITHMETIC = (_of(INTEGER, INTEGER, to=INTEGER), _of(NUMBER, NUMBER, to=NUMBER))
_SAME = (_of(INTEGER, to=INTEGER), _of(NUMBER, to=NUMBER))
_SHIFTED = _of(TIMESTAMP, INTERVAL, to=TIMESTAMP)
_REAL = (_of(NUMBER, to=NUMBER),)
_COMPARED = (_of(ANY, ANY, to=BOOLEAN),)
_MATCHED = (_of(TEXT, _PATTERN, to=BOOLEAN),)
_TESTED = (_of(TEXT, TEXT, to=BOOLEAN),)
_CHANGED = (_of(TEXT, to=TEXT),)
_TRIMMED = (*_CHANGED, _of(TEXT, Const(TEXT), to=TEXT))
_CHOSEN = (_of(ANY, to=ANY, repeats=True),)
_PICKED = (_of(LIST, to=ELEMENT),)

# By name; operators have the name that SQL writes them with. `case` and `cast` have rules of their
# own in `calls`: `case` has conditions and values in turn, and the value of `else` last.
FUNCTIONS: dict[str, CallSignatures] = {
    "and": (_of(BOOLEAN, BOOLEAN, to=BOOLEAN),),
    "or": (_of(BOOLEAN, BOOLEAN, to=BOOLEAN),),
    "not": (_of(BOOLEAN, to=BOOLEAN),),
    "is null": (_of(ANY, to=BOOLEAN), _of(LIST, to=BOOLEAN)),
    "is not distinct from": _COMPARED,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), _COMPARED),
    "in": (_of(ANY, ANY, to=BOOLEAN, repeats=True),),
    "coalesce": _CHOSEN,
    "greatest": _CHOSEN,
    "least": _CHOSEN,
    "nullif": (_of(ANY, ANY, to=ANY),),
    "+": (*_ARITHMETIC, _SHIFTED),
    "-": (*_ARITHMETIC, _SHIFTED),
    "*": _ARITHMETIC,
    "/": (_of(NUMBER, NUMBER, to=NUMBER),),
    "//": (_of(INTEGER, INTEGER, to=INTEGER),),
    "%": _ARITHMETIC,
    "negative": _SAME,
    "abs": _SAME,
    "sign": _SAME,
    "power": (_of(NUMBER, NUMBER, to=NUMBER),),
    "round": (*_REAL, _of(NUMBER, Const(INTEGER), to=NUMBER)),
    **dict.fromkeys(("ceil", "floor", "trunc", "sqrt", "cbrt", "exp", "ln", "log2"), _REAL),
    **dict.fromkeys(("log10", "sin", "cos", "tan", "asin", "acos", "atan"), _REAL),
    **dict.fromkeys(("degrees", "radians"), _REAL),
    "atan2": (_of(NUMBER, NUMBER, to=NUMBER),),
    "pi": (_of(to=NUMBER),),
    "like": _MATCHED,
    "ilike": _MATCHED,
    "regexp_matches": _MATCHED,
    "regexp_full_match": _MATCHED,
    "regexp_extract": (
        _of(TEXT, _PATTERN, to=TEXT),
        _of(TEXT, _PATTERN, Const(INTEGER), to=TEXT),
    ),
    "regexp_replace": (
        _of(TEXT, _PATTERN, Const(TEXT), to=TEXT),
        _of(TEXT, _PATTERN, Const(TEXT), Const(TEXT, ("g",)), to=TEXT),
    ),
    "||": (_of(TEXT, TEXT, to=TEXT),),
    "concat": (_of(TEXT, to=TEXT, repeats=True),),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), _TESTED),
    **dict.fromkeys(("lower", "upper", "reverse"), _CHANGED),
    **dict.fromkeys(("trim", "ltrim", "rtrim"), _TRIMMED),
    "length": (_of(TEXT, to=INTEGER), _of(LIST, to=INTEGER)),
    "instr": (_of(TEXT, TEXT, to=INTEGER),),
    "substring": (_of(TEXT, INTEGER, to=TEXT), _of(TEXT, INTEGER, INTEGER, to=TEXT)),
    "left": (_of(TEXT, INTEGER, to=TEXT),),
    "right": (_of(TEXT, INTEGER, to=TEXT),),
    "replace": (_of(TEXT, TEXT, TEXT, to=TEXT),),
    "split_part": (_of(TEXT, TEXT, INTEGER, to=TEXT),),
    "date_part": (_of(_PART, TIMESTAMP, to=INTEGER),),
    "date_trunc": (_of(_UNIT, TIMESTAMP, to=TIMESTAMP),),
    "date_diff": (_of(_UNIT, TIMESTAMP, TIMESTAMP, to=INTEGER),),
    "epoch": (_of(TIMESTAMP, to=NUMBER),),
    "list_contains": (_of(LIST, ELEMENT, to=BOOLEAN),),
    "list_min": _PICKED,
    "list_max": _PICKED,
    "list_sum": (_of(list_of(INTEGER), to=INTEGER), _of(list_of(NUMBER), to=NUMBER)),
}
SPECIAL = ("case", "cast")

# Other names of functions, in lower case.
ALIASES = {
    "ceiling": "ceil",
    "datediff": "date_diff",
    "datepart": "date_part",
    "datetrunc": "date_trunc",
    "len": "length",
    "log": "log10",
    "mod": "%",
    "pow": "power",
    "prefix": "starts_with",
    "strpos": "instr",
    "substr": "substring",
    "suffix": "ends_with",
}
