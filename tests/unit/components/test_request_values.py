"""What a request's column may hold, as a refusal says it."""

import math

import pytest

from components.request_values import column_of, expected, first_wrong
from tests import columns


@pytest.mark.parametrize(
    ("kind", "values", "wrong"),
    [
        ("INT", [1.0, math.nan, 2.5], 2),
        ("INT", [2.0**53, 2.0**53 + 2], 1),
        ("INT", [math.inf], 0),
        ("FLOAT", [math.inf], None),
        ("BYTES", [b"\xff"], None),
        ("BOOL", [0.0, 1.0, math.nan], None),
        ("BOOL", [0, 1, -1], 2),
        ("BOOL_TEXT", [b"yes", b"", b"no"], None),
        ("BOOL_TEXT", [b"yes", b"Yes"], 1),
        ("TIME", [9_007_199_254.0, 9_007_199_255.0], 1),
        ("TIME", [0.5], 0),
        ("TIME_TEXT", [b"", b"2024-02-29 00:00:00", b"2023-02-29 00:00:00"], 2),
        ("TIME_TEXT", [b"\xff"], 0),
        ("FLOAT_TEXT", [b"", b"+.5", b"-1e-400", b"NaN", b"1e39"], 4),
        ("FLOAT_TEXT", [b"5.", b"0." + b"1" * 29, b"0." + b"1" * 30], 2),
        ("FLOAT_TEXT", [b"inf"], 0),
    ],
)
def test_the_first_value_that_a_column_cannot_have(kind, values, wrong):
    assert first_wrong(values, columns.column_of(kind)) == wrong


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("INT", "a whole number within ±2**53, or NaN where"),
        ("BOOL", "0 or 1 (in JSON also false or true), or NaN where"),
        (
            "BOOL_TEXT",
            "'yes' or 'no' (in JSON also true or false), or \"\" where",
        ),
        (
            "TIME",
            "a time as UNIX_SECONDS: a whole number within ±9007199254, or NaN where",
        ),
        (
            "TIME_TEXT",
            "a time from 1684 to 2255 in the format '%Y-%m-%d %H:%M:%S', or \"\" where",
        ),
    ],
)
def test_what_it_may_have_in_words(kind, words):
    assert expected(columns.column_of(kind)).removesuffix(" it is missing") == words


def test_a_number_of_an_unknown_column_is_an_integer():
    assert column_of(None, numeric=False) is None
    unknown = column_of(None, numeric=True)
    assert unknown is not None
    assert first_wrong([0.5], unknown) == 0
