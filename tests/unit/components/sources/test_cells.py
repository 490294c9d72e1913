"""The meaning of text as INT, FLOAT or BYTES."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sources.cells import convert
from components.sources.rejects import RejectReason
from tests.columns import column_of


def one(text, kind):
    """The value and the reason of a single text."""
    cells = convert(pa.array([text], pa.string()), column_of(kind))
    return cells.values[0].as_py(), RejectReason(int(cells.reasons[0]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("5.0", 5),
        ("-5.000", -5),
        ("5.", 5),
        ("007", 7),
        ("-0", 0),
        ("-0.0", 0),
        ("0", 0),
        ("000", 0),
        ("9007199254740992", 2**53),
        ("-9007199254740992.0", -(2**53)),
        ("00000000000000000000000000000001", 1),
    ],
)
def test_integers(text, value):
    assert one(text, "INT") == (value, RejectReason.FITS)


@pytest.mark.parametrize(
    "text",
    [
        *("5.5", "abc", "1e3", "0x1F", "0X1F", "NaN", "inf", " 5", "5 ", "1,000", "1_000", "--5"),
        *("+-5", "-", "+", ".", ".0", "5.0.0", "\u0665", "5\n", "True", "", "5.0x"),
    ],
)
def test_no_integers(text):
    assert one(text, "INT") == (None, RejectReason.NOT_AN_INTEGER)


@pytest.mark.parametrize(
    "text",
    [
        *("9007199254740993", "-9007199254740993", "9007199254740993.0", "9223372036854775807"),
        *("-9223372036854775808", "9223372036854775808", "1" * 400, "+18446744073709551616"),
    ],
)
def test_integers_that_requests_cannot_carry(text):
    assert one(text, "INT") == (None, RejectReason.INTEGER_BEYOND_2_53)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("+5.25", 5.25),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5E+3", -1500.0),
        ("1e-400", 0.0),
        ("0.1", float(np.float32(0.1))),
        ("3.4028234e38", float(np.finfo(np.float32).max)),
        # nearest float64 first, then nearest float32, as TensorFlow casts
        ("16777217", 16777216.0),
    ],
)
def test_floats(text, value):
    assert one(text, "FLOAT") == (value, RejectReason.FITS)


def test_negative_zero_keeps_its_sign():
    value, _ = one("-0.0", "FLOAT")
    assert math.copysign(1, value) == -1


@pytest.mark.parametrize("text", ["NaN", "nan", "-nan", "+NaN", "NAN"])
def test_nan_is_missing(text):
    assert one(text, "FLOAT") == (None, RejectReason.FITS)


@pytest.mark.parametrize(
    "text", ["inf", "-inf", "+Infinity", "INF", "1e39", "-1e39", "1e400", "3.5e38"]
)
def test_not_finite(text):
    assert one(text, "FLOAT") == (None, RejectReason.NOT_FINITE)


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "1,5", "0x1p3", "0x10", "1_000", " 5", "5 ", "-", ".", "e5", "5e", "1d5"),
        *("nan(ab)", "nana", "infinit", "--1", "+-1", "", "\u0665", "5\n", "1.5.5", "$5"),
    ],
)
def test_no_numbers(text):
    assert one(text, "FLOAT") == (None, RejectReason.NOT_A_NUMBER)


@pytest.mark.parametrize("kind", ["INT", "FLOAT", "BYTES"])
def test_nul_is_refused(kind):
    assert one("1\0", kind) == (None, RejectReason.CONTAINS_NUL)


@pytest.mark.parametrize("text", ["", "x", "NaN", "naïve 日本", " a "])
def test_text_stays_as_it_is(text):
    assert one(text, "BYTES") == (text, RejectReason.FITS)


@pytest.mark.parametrize(
    ("kind", "arrow"), [("INT", pa.int64()), ("FLOAT", pa.float32()), ("BYTES", pa.string())]
)
def test_types_missing_values_and_no_rows(kind, arrow):
    for values in ([], [None], [None, "1", None]):
        cells = convert(pa.array(values, pa.string()), column_of(kind))
        assert cells.values.type == arrow
        assert [v is None for v in cells.values.to_pylist()] == [v is None for v in values]
        assert cells.reasons.tolist() == [RejectReason.FITS] * len(values)


NUMBERISH = st.text(st.sampled_from("0123456789+-.eExXnaifNIty_ \0"), max_size=12)
NUMBERS = st.integers().map(str) | st.floats().map(repr) | NUMBERISH


@pytest.mark.parametrize("kind", ["INT", "FLOAT"])
@settings(deadline=None)
@given(texts=st.lists(NUMBERS | st.none(), min_size=1, max_size=8))
def test_a_value_does_not_depend_on_its_neighbours(kind, texts):
    together = convert(pa.array(texts, pa.string()), column_of(kind))
    alone = [one(text, kind) for text in texts]
    assert together.values.to_pylist() == [value for value, _ in alone]
    assert together.reasons.tolist() == [reason for _, reason in alone]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53) | st.none(), min_size=1))
def test_integers_as_pandas_writes_them_are_read_exactly(values):
    plain = [None if v is None else str(v) for v in values]
    nullable = [None if v is None else f"{v}.0" for v in values]
    for texts in (plain, nullable):
        cells = convert(pa.array(texts, pa.string()), column_of("INT"))
        assert cells.values.to_pylist() == values


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_are_read_exactly(values):
    cells = convert(pa.array([repr(v) for v in values], pa.string()), column_of("FLOAT"))
    assert cells.values.to_pylist() == values
    assert not cells.reasons.any()


@given(st.data())
@pytest.mark.parametrize("kind", ["INT", "FLOAT"])
def test_a_slice_means_what_its_values_mean(kind, data):
    texts = data.draw(st.lists(st.sampled_from(["1", "-22.0", "x", "333", "", "9" * 30, None])))
    start = data.draw(st.integers(0, len(texts)))
    sliced = convert(pa.array(texts, pa.string()).slice(start), column_of(kind))
    alone = convert(pa.array(texts[start:], pa.string()), column_of(kind))
    assert sliced.values.to_pylist() == alone.values.to_pylist()
    np.testing.assert_array_equal(sliced.reasons, alone.reasons)
