"""Typed values as columns: what is accepted, what is rejected, and for which reason."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.sources.cells import convert
from components.sources.rejects import RejectReason
from components.sources.typed import of_arrow, of_json
from tests.columns import column_of


def one(cells):
    return cells.values[0].as_py(), RejectReason(int(cells.reasons[0]))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, "INT", (3, RejectReason.FITS)),
        (3.0, "INT", (3, RejectReason.FITS)),
        (2**53, "INT", (2**53, RejectReason.FITS)),
        (None, "INT", (None, RejectReason.FITS)),
        (2.5, "INT", (None, RejectReason.NOT_AN_INTEGER)),
        (True, "INT", (None, RejectReason.NOT_AN_INTEGER)),
        ("3", "INT", (None, RejectReason.NOT_AN_INTEGER)),
        (2**53 + 1, "INT", (None, RejectReason.INTEGER_BEYOND_2_53)),
        (-(10**400), "INT", (None, RejectReason.INTEGER_BEYOND_2_53)),
        (3, "FLOAT", (3.0, RejectReason.FITS)),
        (0.5, "FLOAT", (0.5, RejectReason.FITS)),
        (False, "FLOAT", (None, RejectReason.NOT_A_NUMBER)),
        ([1.0], "FLOAT", (None, RejectReason.NOT_A_NUMBER)),
        (1e39, "FLOAT", (None, RejectReason.NOT_FINITE)),
        (10**400, "FLOAT", (None, RejectReason.NOT_FINITE)),
        ("Crédit", "BYTES", ("Crédit", RejectReason.FITS)),
        ("", "BYTES", ("", RejectReason.FITS)),
        (7, "BYTES", (None, RejectReason.NOT_TEXT)),
        ("a\0", "BYTES", (None, RejectReason.CONTAINS_NUL)),
        ("\ud800", "BYTES", (None, RejectReason.NOT_TEXT)),
    ],
)
def test_a_json_value_fits_or_is_rejected_with_a_reason(value, kind, expected):
    assert one(of_json([value], column_of(kind))) == expected
    # its neighbours do not matter
    assert one(of_json([value, None, "x", 1, 1.5, True], column_of(kind))) == expected


@pytest.mark.parametrize(
    ("array", "kind", "values", "reasons"),
    [
        (pa.array([1, None], pa.int8()), "INT", [1, None], [0, 0]),
        (
            pa.array([2**63, 5], pa.uint64()),
            "INT",
            [None, 5],
            [RejectReason.INTEGER_BEYOND_2_53, 0],
        ),
        (pa.array([1.0, 1.5, np.nan]), "INT", [1, None, None], [0, RejectReason.NOT_AN_INTEGER, 0]),
        (pa.array([np.inf, 0.5]), "FLOAT", [None, 0.5], [RejectReason.NOT_FINITE, 0]),
        (pa.array([1, 2]), "FLOAT", [1.0, 2.0], [0, 0]),
        (pa.array(["a", "b", None]).dictionary_encode(), "BYTES", ["a", "b", None], [0, 0, 0]),
        (pa.array(["a"], pa.large_string()), "BYTES", ["a"], [0]),
        (
            pa.array([b"a", b"\xff", None]),
            "BYTES",
            ["a", None, None],
            [0, RejectReason.NOT_UTF8, 0],
        ),
        (pa.nulls(2), "FLOAT", [None, None], [0, 0]),
    ],
)
def test_a_parquet_column_is_taken_as_what_the_model_takes(array, kind, values, reasons):
    cells = of_arrow(array, column_of(kind))
    assert cells is not None
    assert cells.values.to_pylist() == values
    assert cells.reasons.tolist() == reasons


@pytest.mark.parametrize(
    ("array", "kind"),
    [(pa.array([True]), "INT"), (pa.array([1]), "BYTES"), (pa.array(["1"]), "FLOAT")],
)
def test_types_that_do_not_fit_are_recognized(array, kind):
    assert of_arrow(array, column_of(kind)) is None


@given(st.lists(st.none() | st.integers(-(2**60), 2**60)), st.sampled_from(["INT", "FLOAT"]))
@example([2**59 + 2**35 + 1], "FLOAT")  # as float64 halfway between two float32
def test_integers_mean_what_they_mean_in_csv(values, kind):
    ours = of_json(values, column_of(kind))
    csv = convert(
        pa.array([None if v is None else str(v) for v in values], pa.string()), column_of(kind)
    )
    assert ours.values.equals(csv.values)
    assert ours.reasons.tolist() == csv.reasons.tolist()


@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_floats_mean_what_they_mean_in_csv(values):
    ours = of_json(values, column_of("FLOAT"))
    csv = convert(
        pa.array([None if v is None else repr(v) for v in values], pa.string()), column_of("FLOAT")
    )
    assert ours.values.equals(csv.values)
    assert ours.reasons.tolist() == csv.reasons.tolist()


NUMBER, INFINITE = RejectReason.NOT_A_NUMBER, RejectReason.NOT_FINITE
FITS, BOOLEAN, TIME = RejectReason.FITS, RejectReason.NOT_A_BOOLEAN, RejectReason.NOT_A_TIME
FINE, BEYOND = RejectReason.TIME_TOO_FINE, RejectReason.TIME_BEYOND_RANGE
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("BOOL", "1", (1, FITS)),
        ("BOOL", "0.0", (0, FITS)),
        ("BOOL", "tRuE", (1, FITS)),
        ("BOOL", "False", (0, FITS)),
        ("BOOL", "2", (None, BOOLEAN)),
        ("BOOL", "yes", (None, BOOLEAN)),
        ("BOOL", "1.5", (None, BOOLEAN)),
        ("BOOL_TEXT", "yes", ("yes", FITS)),
        ("BOOL_TEXT", "Yes", (None, BOOLEAN)),
        ("BOOL_TEXT", "1", (None, BOOLEAN)),
        ("TIME", "60", (60 * SECOND, FITS)),
        ("TIME", "-1.0", (-SECOND, FITS)),
        ("TIME", "1.5", (None, TIME)),
        ("TIME", "2024-01-01", (None, TIME)),
        ("TIME", "9007199255", (None, BEYOND)),
        ("TIME", "1" * 30, (None, BEYOND)),
        ("TIME_TEXT", "1970-01-01 00:01:00", (60 * SECOND, FITS)),
        ("TIME_TEXT", "1970-02-30 00:01:00", (None, TIME)),
        ("TIME_TEXT", "9999-12-31 00:00:00", (None, BEYOND)),
        ("TIME_TEXT", "", (None, TIME)),
        ("FLOAT_TEXT", "1700000000.123", (1700000000.123, FITS)),
        ("FLOAT_TEXT", "+.1", (0.1, FITS)),
        ("FLOAT_TEXT", "nan", (None, FITS)),
        ("FLOAT_TEXT", "1e39", (None, INFINITE)),
        ("FLOAT_TEXT", "0x1", (None, NUMBER)),
    ],
)
def test_text_is_of_the_columns_type_or_a_reject(kind, text, expected):
    assert one(convert(pa.array([text]), column_of(kind))) == expected
    together = convert(pa.array([text, None, text]), column_of(kind))
    assert together.values.to_pylist() == [expected[0], None, expected[0]]
    assert together.reasons.tolist() == [expected[1], FITS, expected[1]]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("BOOL", True, (1, FITS)),
        ("BOOL", 0, (0, FITS)),
        ("BOOL", 1.0, (1, FITS)),
        ("BOOL", 2, (None, BOOLEAN)),
        ("BOOL", "true", (None, BOOLEAN)),
        ("BOOL_TEXT", False, ("no", FITS)),
        ("BOOL_TEXT", "yes", ("yes", FITS)),
        ("BOOL_TEXT", "", (None, FITS)),
        ("BOOL_TEXT", 1, (None, BOOLEAN)),
        ("TIME", 60, (60 * SECOND, FITS)),
        ("TIME", True, (None, TIME)),
        ("TIME", 0.5, (None, TIME)),
        ("TIME", 10**40, (None, BEYOND)),
        ("TIME_TEXT", "1970-01-01 00:01:00", (60 * SECOND, FITS)),
        ("TIME_TEXT", "", (None, FITS)),
        ("TIME_TEXT", 60, (None, TIME)),
        ("TIME_TEXT", "\ud800", (None, TIME)),
        ("FLOAT_TEXT", 0.1, (0.1, FITS)),
        ("FLOAT_TEXT", 2**53 + 2, (2.0**53 + 2, FITS)),
        ("FLOAT_TEXT", "0.1", (0.1, FITS)),
        ("FLOAT_TEXT", "", (None, FITS)),
        ("FLOAT_TEXT", 10**400, (None, INFINITE)),
        ("FLOAT_TEXT", True, (None, NUMBER)),
        ("FLOAT_TEXT", "x", (None, NUMBER)),
    ],
)
def test_json_is_of_the_columns_type_or_a_reject(kind, value, expected):
    assert one(of_json([value], column_of(kind))) == expected
    assert one(of_json([value, None, 0, "x"], column_of(kind))) == expected


@pytest.mark.parametrize(
    ("kind", "array", "values", "reasons"),
    [
        ("BOOL", pa.array([True, False, None]), [1, 0, None], [0, 0, 0]),
        ("BOOL", pa.array([1, 3], pa.int8()), [1, None], [0, BOOLEAN]),
        ("BOOL", pa.array([1.0, 0.5]), [1, None], [0, BOOLEAN]),
        ("BOOL_TEXT", pa.array([True, None, False]), ["yes", None, "no"], [0, 0, 0]),
        ("BOOL_TEXT", pa.array(["yes", "", "y"]), ["yes", None, None], [0, 0, BOOLEAN]),
        ("TIME", pa.array([5, None], pa.timestamp("s")), [5 * SECOND, None], [0, 0]),
        ("TIME", pa.array([1], pa.timestamp("ms")), [None], [FINE]),
        ("TIME", pa.array([2**60], pa.timestamp("s")), [None], [BEYOND]),
        ("TIME", pa.array([7, 2**60]), [7 * SECOND, None], [0, BEYOND]),
        ("FLOAT_TEXT", pa.array([0.1, None, np.inf]), [0.1, None, None], [0, 0, INFINITE]),
        ("FLOAT_TEXT", pa.array([5, None], pa.int16()), [5.0, None], [0, 0]),
        ("FLOAT_TEXT", pa.array(["0.1", "", "x"]), [0.1, None, None], [0, 0, NUMBER]),
        ("FLOAT_TEXT", pa.array([Decimal("123456789.01")]), [123456789.01], [0]),
        ("TIME_TEXT", pa.array([5, None], pa.timestamp("s")), [5 * SECOND, None], [0, 0]),
        ("TIME_TEXT", pa.array([1_000, 1], pa.timestamp("ms", "UTC")), [SECOND, None], [0, FINE]),
        ("TIME_TEXT", pa.array([1], pa.date32()), [86_400 * SECOND], [0]),
    ],
)
def test_arrows_own_types_become_those_of_the_column(kind, array, values, reasons):
    cells = of_arrow(array, column_of(kind))
    assert cells is not None
    assert cells.values.to_pylist() == values
    assert cells.reasons.tolist() == reasons


def test_a_time_that_a_short_format_cannot_write_is_too_fine():
    stamps = pa.array([0, 3_600], pa.timestamp("s"))
    cells = of_arrow(stamps, column_of("TIME_TEXT", "%Y-%m-%d"))
    assert cells is not None
    assert cells.reasons.tolist() == [FITS, FINE]


@given(values=st.lists(st.decimals(-(10**12), 10**12, places=4, allow_nan=False)))
@pytest.mark.parametrize("kind", ["INT", "FLOAT", "BOOL", "TIME"])
def test_decimals_mean_what_their_digits_mean_in_csv(values, kind):
    ours = of_arrow(pa.array(values, pa.decimal128(20, 4)), column_of(kind))
    csv = convert(pa.array([f"{v:f}" for v in values], pa.string()), column_of(kind))
    assert ours is not None
    assert ours.values.equals(csv.values)
    assert ours.reasons.tolist() == csv.reasons.tolist()
