"""Converts one column's text to typed values, with a reason for each value that does not fit.

It works on whole columns. A value never depends on its neighbours: the fast path accepts only what
the exact path would accept, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.sources.protocol import Needs
from components.sources.rejects import RejectReason
from components.times import format_of, read_texts, unit_of
from schemas.columns import LARGEST_INTEGER, NUMBER, Column
from schemas.types import BOOL, BOOL_TEXT, BYTES, FLOAT, FLOAT_TEXT, INT, TIME, TIME_TEXT

_INT = r"^(?:\+|(-))?0*([0-9]+)(?:\.0*)?$"
_INT_DIGITS = 17  # sign and digits; covers everything within 2^53, and always fits int64
_NAN = r"^[+-]?(?i:nan)$"
_FALSE_AND_TRUE = ("false", "true")
_INFINITY = r"^[+-]?(?i:inf|infinity)$"


class Cells(NamedTuple):
    """The values of a column.

    Attributes:
      values: int64, float32, float64 or string of shape [rows]; null if missing or not fitting.
      reasons: uint8 of shape [rows], a `RejectReason` each, FITS where the value fits or is
        missing.
    """

    values: pa.Array
    reasons: np.ndarray


def convert(text: pa.Array, column: Column) -> Cells:
    """Convert text (valid UTF-8, null where missing) to the type of a column.

    >>> convert(pa.array(["5", "5.0", "5.5", None]), Column("x", "INT", True)).values.to_pylist()
    [5, 5, None, None]
    """
    reasons = np.zeros(len(text), np.uint8)
    if b"\0" in _characters(text):
        reasons[_where(pc.match_substring(text, "\0"))] = RejectReason.CONTAINS_NUL
        text = without(text, reasons)
    values, more = _READ[column.kind](text, column)
    return Cells(values, reasons | more)


def first_reasons(
    cells: Sequence[Cells], columns: Sequence[Column], needs: Needs
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's first reason and the position of its column.

    Args:
      cells: the cells of each column.
      columns: the columns, at least one.
      needs: what a row needs.
    """
    rows = len(cells[0].values)
    reasons, culprits = np.zeros(rows, np.uint8), np.zeros(rows, np.int64)
    reasons_by_column = [(i, c.reasons) for i, c in enumerate(cells) if c.reasons.any()]
    for i, column in enumerate(columns):
        for names, reason in (
            (needs.label, RejectReason.MISSING_LABEL),
            (needs.split, RejectReason.MISSING_SPLIT),
        ):
            if column.name in names and cells[i].values.null_count:
                missing = np.asarray(cells[i].values.is_null())
                reasons_by_column.append((i, missing.astype(np.uint8) * np.uint8(reason)))
        if column.name == needs.weight:
            reasons_by_column.append((i, _weight_reasons(cells[i].values)))
    for i, column_reasons in reasons_by_column:
        first = (reasons == 0) & (column_reasons > 0)
        reasons[first], culprits[first] = column_reasons[first], i
    return reasons, culprits


def _weight_reasons(weights: pa.Array) -> np.ndarray:
    """Return the reasons why values cannot be weights, uint8 [rows]."""
    reasons = np.zeros(len(weights), np.uint8)
    reasons[_where(pc.less(weights, 0))] = RejectReason.NEGATIVE_WEIGHT
    reasons[np.asarray(weights.is_null())] = RejectReason.MISSING_WEIGHT
    return reasons


def _integers(text: pa.Array, _: Column) -> Cells:
    characters = _characters(text)
    values, reasons = None, np.zeros(len(text), np.uint8)
    if b"x" not in characters and b"X" not in characters:  # Arrow reads 0x1F as 31
        values = _cast(text, pa.int64())
    if values is None:
        values, reasons = _integers_exactly(text)
    numbers = values.fill_null(0).to_numpy()
    reasons[(numbers > LARGEST_INTEGER) | (numbers < -LARGEST_INTEGER)] = (
        RejectReason.INTEGER_BEYOND_2_53
    )
    return Cells(without(values, reasons), reasons)


def _integers_exactly(text: pa.Array) -> Cells:
    """Parse digits with an optional sign and `.0`, pandas' format of nullable integers."""
    reasons = np.zeros(len(text), np.uint8)
    reasons[_where(pc.invert(pc.match_substring_regex(text, _INT)))] = RejectReason.NOT_AN_INTEGER
    digits = pc.replace_substring_regex(without(text, reasons), _INT, r"\1\2")
    too_long = _where(pc.greater(pc.utf8_length(digits), _INT_DIGITS))
    reasons[too_long] = RejectReason.INTEGER_BEYOND_2_53
    return Cells(without(digits, reasons).cast(pa.int64()), reasons)


def _floats(text: pa.Array, column: Column) -> Cells:
    reasons = np.zeros(len(text), np.uint8)
    values = _cast(text, pa.float64())
    if values is None:
        values, reasons = _floats_exactly(text)
    numbers = values.fill_null(0).to_numpy()
    missing = np.asarray(values.is_null())
    nan = np.isnan(numbers)
    if nan.any():  # Arrow reads nan(anything) as NaN
        odd = nan & _where(pc.invert(pc.match_substring_regex(text, _NAN)))
        reasons[odd] = RejectReason.NOT_A_NUMBER
        missing |= nan
    return as_floats(numbers, missing, reasons, column)


def as_floats(
    numbers: np.ndarray, missing: np.ndarray, reasons: np.ndarray, column: Column
) -> Cells:
    """Return float64 numbers as a column's float32 or float64; float32 bounds the range of both."""
    with np.errstate(over="ignore"):
        singles = numbers.astype(np.float32)
    reasons[np.isinf(singles)] = RejectReason.NOT_FINITE
    values = numbers if column.type is FLOAT_TEXT else singles
    return Cells(pa.array(values, mask=missing | (reasons > 0)), reasons)


def _floats_exactly(text: pa.Array) -> Cells:
    """Find the values that are not numbers, and parse the others."""
    reasons = np.zeros(len(text), np.uint8)
    number = pc.match_substring_regex(text, f"^{NUMBER}$|{_NAN}|{_INFINITY}")
    reasons[_where(pc.invert(number))] = RejectReason.NOT_A_NUMBER
    unsigned = pc.replace_substring_regex(without(text, reasons), r"^\+", "")
    return Cells(unsigned.cast(pa.float64()), reasons)


def _as_it_is(text: pa.Array, _: Column) -> Cells:
    return Cells(text, np.zeros(len(text), np.uint8))


def _booleans(text: pa.Array, column: Column) -> Cells:
    """Read 0 and 1 as numbers are written, and false and true in any case."""
    lower = pc.utf8_lower(text)
    words = pc.index_in(lower, value_set=pa.array(_FALSE_AND_TRUE))
    is_word = words.is_valid().to_numpy(zero_copy_only=False)
    numbers, reasons = _integers(without(text, is_word), column)
    return as_booleans(pc.coalesce(numbers, words.cast(pa.int64())), reasons)


def as_booleans(numbers: pa.Array, reasons: np.ndarray) -> Cells:
    """Return whole numbers that have to be 0 or 1.

    Args:
      numbers: int64, null where missing or not whole.
      reasons: why they are not whole numbers; replaced by that of booleans.
    """
    reasons[reasons > 0] = RejectReason.NOT_A_BOOLEAN
    neither = np.asarray(~np.isin(numbers.fill_null(0).to_numpy(zero_copy_only=False), (0, 1)))
    reasons[neither] = RejectReason.NOT_A_BOOLEAN
    return Cells(without(numbers, reasons), reasons)


def _one_of_two(text: pa.Array, column: Column) -> Cells:
    reasons = np.zeros(len(text), np.uint8)
    known = pc.is_in(text, value_set=pa.array([None, *column.form], pa.string()))
    reasons[_where(pc.invert(known))] = RejectReason.NOT_A_BOOLEAN
    return Cells(without(text, reasons), reasons)


def _numbered_times(text: pa.Array, column: Column) -> Cells:
    return as_times(*_integers(text, column), column)


def as_times(numbers: pa.Array, reasons: np.ndarray, column: Column) -> Cells:
    """Return whole numbers as times in a column's unit.

    Args:
      numbers: int64, null where missing or not whole.
      reasons: why they are not whole numbers; replaced by those of times.
      column: the column.
    """
    reasons[reasons == RejectReason.INTEGER_BEYOND_2_53] = RejectReason.TIME_BEYOND_RANGE
    reasons[reasons == RejectReason.NOT_AN_INTEGER] = RejectReason.NOT_A_TIME
    unit, values = unit_of(column), numbers.fill_null(0).to_numpy(zero_copy_only=False)
    beyond = np.abs(values) > LARGEST_INTEGER // unit
    reasons[beyond] = RejectReason.TIME_BEYOND_RANGE
    gone = beyond | np.asarray(numbers.is_null())
    return Cells(pa.array(np.where(beyond, 0, values) * unit, mask=gone), reasons)


def _written_times(text: pa.Array, column: Column) -> Cells:
    """Read times in the column's format."""
    reasons = np.zeros(len(text), np.uint8)
    times, valid = read_texts(text, format_of(*column.form))
    missing = np.asarray(text.is_null())
    reasons[~valid & ~missing] = RejectReason.NOT_A_TIME
    reasons[np.abs(times) > LARGEST_INTEGER] = RejectReason.TIME_BEYOND_RANGE
    return Cells(pa.array(times, mask=missing | (reasons > 0)), reasons)


# By the type of a column, what reads its text.
_READ: dict[str, Callable[[pa.Array, Column], Cells]] = {
    INT.name: _integers,
    FLOAT.name: _floats,
    FLOAT_TEXT.name: _floats,
    BYTES.name: _as_it_is,
    BOOL.name: _booleans,
    BOOL_TEXT.name: _one_of_two,
    TIME.name: _numbered_times,
    TIME_TEXT.name: _written_times,
}


def _cast(text: pa.Array, to: pa.DataType) -> pa.Array | None:
    """Return the values, or None if Arrow cannot parse one of them."""
    try:
        return text.cast(to)
    except pa.ArrowInvalid:
        return None


def _characters(text: pa.Array) -> bytes:
    """Return all characters of the column, and perhaps those of neighbouring slices."""
    return b"" if text.buffers()[2] is None else text.buffers()[2].to_pybytes()


def _where(truth: pa.Array) -> np.ndarray:
    """Return a boolean array as numpy's; null is False."""
    return truth.fill_null(False).to_numpy(zero_copy_only=False)


def without(array: pa.Array, reasons: np.ndarray) -> pa.Array:
    """Return the array with null where there is a reason."""
    if not reasons.any():
        return array
    # not pc.if_else, which returns wrong bytes for slices of text in pyarrow 18.1
    return array.take(pa.array(np.arange(len(array)), mask=reasons > 0))
