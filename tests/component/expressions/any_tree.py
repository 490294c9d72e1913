"""Hypothesis draws typed expressions from the table of functions, and rows for their columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import assume
from hypothesis import strategies as st

from components.examples import arrow_schema
from schemas.columns import Column
from schemas.expressions.calls import ExpressionError, call, case, cast
from schemas.expressions.functions import ANY, ELEMENT, FUNCTIONS, LIST, Const
from schemas.expressions.tensor_limits import REFUSED, check_for_tensors
from schemas.expressions.tree import ColumnValue, Constant, Expression, walk
from schemas.expressions.value_types import (
    BOOLEAN,
    DATE,
    INTEGER,
    INTERVAL,
    NUMBER,
    SCALARS,
    TEXT,
    TIMESTAMP,
    type_of,
)

COLUMNS = (
    Column("a", "FLOAT", serving=True),
    Column("b", "FLOAT", serving=True),
    Column("i", "INT", serving=True),
    Column("j", "INT", serving=True),
    Column("s", "BYTES", serving=True),
    Column("t", "BYTES", serving=True),
    Column("p", "BOOL", serving=True),
    Column("q", "BOOL", serving=True),
    Column("w", "TIME", serving=True, form=("UNIX_MICROSECONDS",)),
    Column("v", "TIME", serving=True, form=("UNIX_MICROSECONDS",)),
    Column("numbers", "FLOAT", serving=True, most=9),
    Column("integers", "INT", serving=True, most=9),
    Column("texts", "BYTES", serving=True, most=9),
)

# Their last digits may differ, so that nothing is made of their values.
INEXACT = (
    *("power", "cbrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("atan2", "degrees", "radians", "list_sum", "pi", "sqrt"),
)
_FLOATS = (0.0, -0.0, 0.1, 0.5, 1.5, 2.5, -2.5, 1e-30, 3e38, -3e38, 16777217.0, 1000.0, 1e-3)
_INTEGERS = (0, 1, -1, 2, 3, 7, 10, 1000, 2**53, -(2**53), 2**53 - 1)
_TEXTS = (
    *(
        "",
        " ",
        "a",
        "abc",
        "aXb",
        "a.b",
        "é日\u00a0",
        "ß \u017f",
        "1",
        "-2.5e3",
        " 7 ",
        "TRUE",
        "no",
    ),
    *("a,b,,c", "%_\\", "line\nbreak", "1_0", "+3", "nan", "İΣ"),
)
_PATTERNS = ("a", "b*", "^a", "(a)(.)", "[^,]+", "é|b", "(?i)A", "a%", "%b_", "", r"\d+", "\\.")
_TIMES = (0, -1, 1_700_000_000_123_456, -777_777_777_777_777, 2**53, -(2**53), 951_782_400_000_000)
_CONSTANTS = {
    BOOLEAN: st.booleans(),
    INTEGER: st.sampled_from((*_INTEGERS, -2, -3, 2**62, -(2**63) + 1, 2**63 - 1)),
    NUMBER: st.sampled_from((*_FLOATS, 1e-200, 1e200, 1e308)) | st.floats(-1e6, 1e6, width=32),
    TEXT: st.sampled_from(_TEXTS) | st.text("aAbé ,.", max_size=4),
    TIMESTAMP: st.sampled_from(_TIMES) | st.integers(-(2**53), 2**53),
    DATE: st.integers(-90_000, 90_000),
    INTERVAL: st.integers(0, 2**50),
}


def _optional(values):
    return st.none() | values


@st.composite
def batches(draw, rows=8):
    """Rows with missing values, and with those at which results change."""
    single = st.sampled_from(_FLOATS) | st.floats(-1e6, 1e6, width=32)
    values = {
        "FLOAT": single.map(np.float32).filter(lambda x: x == 0 or abs(x) > 2e-38),
        "INT": st.sampled_from(_INTEGERS) | st.integers(-1000, 1000),
        "BYTES": (st.sampled_from(_TEXTS) | st.text(max_size=5)).filter(_is_example),
        "BOOL": st.sampled_from((0, 1)),
        "TIME": _CONSTANTS[TIMESTAMP],
    }
    arrays = []
    for column, field in zip(COLUMNS, arrow_schema(COLUMNS), strict=True):
        each = values[column.kind]
        if column.is_list:
            each = st.lists(each, max_size=3)
        drawn = draw(st.lists(_optional(each), min_size=rows, max_size=rows))
        arrays.append(pa.array(drawn, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(COLUMNS))


def _is_example(text):
    return text != "" and "\0" not in text and not any("\ud800" <= c < "\ue000" for c in text)


@st.composite
def expressions(draw):
    """Expressions of any type that columns have, and that derived columns may have."""
    try:
        tree = draw(_trees(draw(st.sampled_from(SCALARS)), draw(st.integers(1, 4)), INEXACT))
        check_for_tensors(tree)
    except ExpressionError:
        assume(False)
    names = dict.fromkeys(node.name for node in walk(tree) if isinstance(node, ColumnValue))
    assume(names)
    return Expression(str(tree), tuple(names), tree)


@st.composite
def _trees(draw, kind, depth, inexact=()):
    if depth == 0 or draw(st.integers(0, 7)) == 0:
        return draw(_leaves(kind))
    makers = [
        (name, signature)
        for name, signatures in FUNCTIONS.items()
        for signature in signatures
        if signature.result in (kind, ANY, ELEMENT) and name not in REFUSED
        if name not in INEXACT or name in inexact
    ]
    name, signature = draw(st.sampled_from([*makers, ("case", None), ("cast", None)]))
    if name == "case":
        conditions = [draw(_trees(BOOLEAN, depth - 1)) for _ in range(2)]
        return case(conditions, [draw(_trees(kind, depth - 1)) for _ in range(3)])
    if name == "cast":
        return cast(draw(_trees(draw(st.sampled_from(SCALARS)), depth - 1)), kind)
    scalar = kind if signature.result is ANY else draw(st.sampled_from(SCALARS))
    lists = [c for c in COLUMNS if c.is_list]
    if signature.result is ELEMENT:
        lists = [c for c in lists if type_of(c).element == kind]
        assume(lists)
    chosen = draw(st.sampled_from(lists))
    parameters = signature.parameters
    if signature.repeats:
        parameters += parameters[-1:] * draw(st.integers(0, 2))
    arguments = []
    for parameter in parameters:
        if isinstance(parameter, Const):
            arguments.append(draw(_constants_for(name, parameter)))
        elif parameter is LIST or parameter.element is not None:
            fitting = [c for c in lists if parameter in (LIST, type_of(c))]
            column = chosen if chosen in fitting else draw(st.sampled_from(fitting))
            arguments.append(ColumnValue(column.name, type_of(column)))
        else:
            wanted = {ANY: scalar, ELEMENT: type_of(chosen).element}.get(parameter, parameter)
            leaf_only = name in ("contains", "instr", "replace", "split_part") and arguments
            arguments.append(draw(_trees(wanted, 0 if leaf_only else depth - 1)))
    return call(name, arguments)


def _constants_for(name, parameter):
    if parameter.values:
        return st.sampled_from(parameter.values).map(lambda value: Constant(value, TEXT))
    if parameter.type == INTEGER:
        most = 0 if name == "regexp_extract" else 3
        return st.integers(-most, most).map(lambda value: Constant(value, INTEGER))
    if name in ("trim", "ltrim", "rtrim"):
        return st.sampled_from(("a", " 1", "-]^", "é\\", "")).map(lambda x: Constant(x, TEXT))
    return st.sampled_from(_PATTERNS).map(lambda value: Constant(value, TEXT))


@st.composite
def _leaves(draw, kind):
    columns = [c for c in COLUMNS if type_of(c) == kind]
    if columns and draw(st.integers(0, 3)):
        return ColumnValue(draw(st.sampled_from(columns)).name, kind)
    if draw(st.integers(0, 9)) == 0 and kind != INTERVAL:
        return Constant(None, kind)
    return Constant(draw(_CONSTANTS[kind]), kind)
