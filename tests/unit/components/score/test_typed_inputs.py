"""Booleans and times that a program gives to a model, as Arrow or as Python's values."""

from dataclasses import replace
from datetime import date, datetime, timezone

import pyarrow as pa
import pytest

from components.score.columns import as_column, as_inputs
from schemas.errors import DataError
from tests.columns import column_of

MOMENT = datetime(2024, 2, 29, 10, 30, tzinfo=timezone.utc)
SECONDS = int(MOMENT.timestamp())
TEXT = "2024-02-29 10:30:00"


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("BOOL", [True, None, False], [1, None, 0]),
        ("BOOL", [1, 0], [1, 0]),
        ("BOOL_TEXT", [True, None, False], ["yes", None, "no"]),
        ("BOOL_TEXT", ["no", ""], ["no", None]),
        ("TIME", [MOMENT, None], [SECONDS, None]),
        ("TIME", [SECONDS, None], [SECONDS, None]),
        ("TIME", [date(1970, 1, 2)], [86_400]),
        ("TIME_TEXT", [MOMENT, None], [TEXT, None]),
        ("TIME_TEXT", [TEXT, ""], [TEXT, None]),
        ("TIME_TEXT", [date(2024, 2, 29)], ["2024-02-29 00:00:00"]),
    ],
)
def test_a_model_gets_them_as_a_request_carries_them(kind, values, expected):
    column = column_of(kind)
    assert as_column(values, column, "rows").to_pylist() == expected
    batch = pa.record_batch([pa.array(values)], ["x"])
    assert as_inputs(batch, [column], "a batch").column(0).to_pylist() == expected


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("BOOL", [[True, False], [], None], [[1, 0], [], None]),
        ("BOOL_TEXT", [[True, False]], [["yes", "no"]]),
        ("TIME", [[MOMENT], None], [[SECONDS], None]),
        ("TIME_TEXT", [[date(2024, 2, 29)], []], [["2024-02-29 00:00:00"], []]),
        ("TIME_TEXT", [[TEXT, TEXT]], [[TEXT, TEXT]]),
    ],
)
def test_lists_of_them_are_converted_value_by_value(kind, values, expected):
    column = replace(column_of(kind), most=3)
    assert as_column(values, column, "rows").to_pylist() == expected


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("BOOL", [0, 2], "the value 2 of 'x' in row 1 does not fit INT with a bool_domain"),
        ("BOOL_TEXT", ["Yes"], "the value 'Yes' of 'x' in row 0"),
        ("TIME", [0.5], "not_a_time"),
        ("TIME", [MOMENT.replace(microsecond=1)], "time_too_fine"),
        ("TIME_TEXT", ["2023-02-29 00:00:00"], "not_a_time"),
        ("TIME_TEXT", [5], "type int64 does not fit BYTES with a time_domain"),
        ("BOOL", ["true", 1], "does not fit INT with a bool_domain"),
    ],
)
def test_a_value_that_does_not_fit_is_named(kind, values, problem):
    with pytest.raises(DataError) as caught:
        as_column(values, column_of(kind), "rows")
    assert problem in caught.value.what
