"""What derived columns do not have of expressions: functions that TensorFlow has no ops for.

Each is refused when pipeline.yaml is read, since a value that differs from DuckDB's would be worse.
"""

from __future__ import annotations

from schemas.expressions.calls import ExpressionError
from schemas.expressions.tree import Constant, FunctionCall, Node, walk
from schemas.expressions.value_types import BOOLEAN, INTEGER, INTERVAL, NUMBER, TEXT, ValueType

# Functions that do not exist in derived columns, with the reason.
REFUSED = {"reverse": "TensorFlow does not reverse characters that consist of several code points"}

_ORDERED = ("<", "<=", ">", ">=", "greatest", "least", "list_min", "list_max")
# The places of arguments that have to be constants.
_CONSTANT = {"contains": (1,), "instr": (1,), "replace": (1, 2), "split_part": (1,)}
_CASTS = {
    *((TEXT, BOOLEAN), (TEXT, NUMBER), (INTEGER, TEXT), (BOOLEAN, TEXT)),
}
_LONGEST = 2**53  # microseconds of an interval


def check_for_tensors(tree: Node) -> None:
    """Check that derived columns have all functions of a tree.

    Raises:
      ExpressionError: one is not available; names the reason.
    """
    for node in walk(tree):
        if isinstance(node, FunctionCall):
            _check_call(node)
        elif isinstance(node, Constant) and node.type == INTERVAL and _long(node):
            raise ExpressionError("an interval is longer than 285 years")


def _check_call(node: FunctionCall) -> None:
    types = [argument.type for argument in node.arguments]
    if node.function in REFUSED:
        raise _refusal(node.function, REFUSED[node.function])
    if node.function in _ORDERED and any(TEXT in (each, each.element) for each in types):
        raise _refusal(f"{node.function} of texts", "TensorFlow does not order texts")
    if node.function == "cast" and not _is_cast(types[0], node.type):
        raise _refusal(
            f"a cast of {types[0].name} to {node.type.name}",
            "libraries write and read such values differently",
            remedy="cast texts to double, and whole numbers to text"
            if TEXT in (types[0], node.type)
            else None,
        )
    for place in _CONSTANT.get(node.function, ()):
        if not isinstance(node.arguments[place], Constant):
            raise _refusal(
                f"{node.function} whose argument {place + 1} is not a constant",
                "TensorFlow has one pattern for all rows",
            )
    if node.function == "split_part" and node.arguments[1] == Constant("", TEXT):
        raise _refusal("split_part with an empty separator", "it has no parts")


def _is_cast(given: ValueType, wanted: ValueType) -> bool:
    return TEXT not in (given, wanted) or (given, wanted) in _CASTS


def _long(node: Constant) -> bool:
    return isinstance(node.value, int) and abs(node.value) > _LONGEST


def _refusal(what: str, reason: str, remedy: str | None = None) -> ExpressionError:
    return ExpressionError(f"{what} is not available in derived columns: {reason}", remedy=remedy)
