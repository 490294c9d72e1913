"""Typed calls: finds the signature that arguments fit, and converts them to its types."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence

from schemas.errors import did_you_mean
from schemas.expressions.functions import (
    ANY,
    ELEMENT,
    FUNCTIONS,
    LIST,
    CallSignature,
    CallSignatures,
    Const,
    Parameter,
)
from schemas.expressions.tree import Constant, FunctionCall, Node
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    NUMBER,
    SCALARS,
    TEXT,
    TIMESTAMP,
    ValueType,
    common,
    fits,
    is_castable,
)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_DAY = datetime.timedelta(days=1)


class ExpressionError(Exception):
    """What is wrong with an expression, what is expected, and what to do about it."""

    def __init__(self, what: str, *, expected: str | None = None, remedy: str | None = None):
        super().__init__(what)
        self.what, self.expected, self.remedy = what, expected, remedy


def call(
    name: str, arguments: Sequence[Node], extra: Mapping[str, CallSignatures] = {}
) -> FunctionCall:
    """Return the call of a function in the table.

    Args:
      name: the function's name.
      arguments: what it is applied to.
      extra: functions besides those of the table.

    Raises:
      ExpressionError: no signature takes these arguments.
    """
    signatures = extra[name] if name in extra else FUNCTIONS[name]
    for signature in signatures:
        if (bound := _bound(signature, arguments)) is not None:
            return FunctionCall(name, *bound)
    given = " and ".join(_described(argument) for argument in arguments) or "nothing"
    raise ExpressionError(
        f"{name} cannot take {given}",
        expected=" or ".join(dict.fromkeys(_written(name, each) for each in signatures)),
        remedy=_remedy(arguments),
    )


def case(conditions: Sequence[Node], values: Sequence[Node]) -> FunctionCall:
    """Return the choice of the value whose condition is true first; the last value otherwise.

    Raises:
      ExpressionError: a condition is not boolean, or the values have no common type.
    """
    for condition in conditions:
        require(condition, BOOLEAN, "a condition of CASE")
    unified = _unified(values)
    if unified is None:
        raise ExpressionError(
            f"CASE has values that are {' and '.join(map(_described, values))}",
            expected="values of one type",
        )
    converted = [converted_to(value, unified) for value in values]
    pairs = [node for pair in zip(conditions, converted, strict=False) for node in pair]
    return FunctionCall("case", (*pairs, converted[-1]), unified)


def cast(node: Node, wanted: ValueType) -> Node:
    """Return a value converted to a type, null where it cannot be.

    Raises:
      ExpressionError: no value of its type can be converted.
    """
    if not is_castable(node.type, wanted):
        raise ExpressionError(f"{_described(node)} cannot be cast to {wanted.name}")
    if isinstance(node, Constant) and node.type is TEXT and wanted in (TIMESTAMP, DATE):
        return converted_to(node, wanted)
    return node if node.type == wanted else FunctionCall("cast", (node,), wanted)


def require(node: Node, wanted: ValueType, user: str) -> Node:
    """Return a value as the type that its user needs.

    Raises:
      ExpressionError: it has another type.
    """
    if not fits(node.type, wanted):
        raise ExpressionError(f"{user} is {_described(node)}", expected=f"a {wanted.name}")
    return converted_to(node, wanted)


def converted_to(node: Node, wanted: ValueType) -> Node:
    """Return a value that fits a type as a value of this type."""
    if node.type == wanted:
        return node
    if isinstance(node, Constant):
        if node.value is None:
            return Constant(None, wanted)
        if node.type is INTEGER and wanted is NUMBER:
            return Constant(float(node.value), NUMBER)
        if node.type is TEXT:
            return _as_time(str(node.value), wanted)
    return FunctionCall("cast", (node,), wanted)


def _bound(
    signature: CallSignature, arguments: Sequence[Node]
) -> tuple[tuple[Node, ...], ValueType] | None:
    """Return the arguments as the signature takes them, and the result's type; None if not."""
    parameters = signature.spread(len(arguments))
    if parameters is None:
        return None
    pairs = list(zip(parameters, arguments, strict=True))
    variables: dict[ValueType, ValueType] = {}
    if any(parameter is ANY for parameter in parameters):
        unified = _unified([argument for parameter, argument in pairs if parameter is ANY])
        if unified is None or unified not in (*SCALARS, NULL):
            return None
        variables[ANY] = unified
    for parameter, argument in pairs:
        if parameter is LIST:
            if argument.type.element is None:
                return None
            variables |= {LIST: argument.type, ELEMENT: argument.type.element}
    wanted = [_wanted(parameter, variables) for parameter in parameters]
    if not all(_takes(p, w, a) for (p, a), w in zip(pairs, wanted, strict=True)):
        return None
    converted = tuple(converted_to(a, w) for a, w in zip(arguments, wanted, strict=True))
    return converted, variables.get(signature.result, signature.result)


def _wanted(parameter: Parameter, variables: Mapping[ValueType, ValueType]) -> ValueType:
    kind = parameter.type if isinstance(parameter, Const) else parameter
    return variables.get(kind, kind)


def _takes(parameter: Parameter, wanted: ValueType, argument: Node) -> bool:
    if not isinstance(parameter, Const):
        return fits(argument.type, wanted) or _is_written_time(argument, wanted)
    if not isinstance(argument, Constant) or argument.type != wanted:
        return False
    if parameter.values and argument.value not in parameter.values:
        raise ExpressionError(
            f"{argument.value!r} is not one of the names that stand here;"
            f" {did_you_mean(str(argument.value), parameter.values)}",
            expected=f"one of: {', '.join(parameter.values)}",
        )
    return True


def _unified(nodes: Sequence[Node]) -> ValueType | None:
    """Return the common type of values, of which constant texts may stand for times."""
    types = [node.type for node in nodes]
    if TIMESTAMP in types or DATE in types:
        types = [TIMESTAMP if _is_written_time(node, TIMESTAMP) else node.type for node in nodes]
    return common(types)


def _is_written_time(node: Node, wanted: ValueType) -> bool:
    return isinstance(node, Constant) and node.type is TEXT and wanted in (TIMESTAMP, DATE)


def _as_time(text: str, wanted: ValueType) -> Constant:
    try:
        time = datetime.datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    except ValueError:
        raise ExpressionError(
            f"{text!r} is not a time",
            expected="a date or time such as '2024-05-31' or '2024-05-31T17:00'",
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    unit = _DAY if wanted is DATE else datetime.timedelta(microseconds=1)
    return Constant((time - _EPOCH) // unit, wanted)


def _described(node: Node) -> str:
    return f"the {node.type.name} {node.value!r}" if isinstance(node, Constant) else node.type.name


def _written(name: str, signature: CallSignature) -> str:
    """Return a signature as text.

    >>> _written("/", FUNCTIONS["/"][0]), _written("left", FUNCTIONS["left"][0])
    ('number / number', 'left(text, integer)')
    """
    names = [_parameter_name(parameter) for parameter in signature.parameters]
    if signature.repeats:
        names.append("…")
    if name.replace("_", "").replace(" ", "").isalpha() and name not in ("and", "or", "like"):
        return f"{name}({', '.join(names)})"
    return f" {name} ".join(names)


def _parameter_name(parameter: Parameter) -> str:
    if isinstance(parameter, Const):
        return f"constant {parameter.type.name}"
    return {ANY: "value of one type", ELEMENT: "value of it"}.get(parameter, parameter.name)


def _remedy(arguments: Iterable[Node]) -> str | None:
    types = {argument.type for argument in arguments}
    if BOOLEAN in types and len(types) > 1:
        return "a boolean column is a condition by itself: write `x` or `not x`"
    if TEXT in types and len(types) > 1:
        return "write texts in single quotes and numbers without, or cast(… as double)"
    return None
