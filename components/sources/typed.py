"""Converts typed values of Parquet or JSON to those of a raw column, as strictly as ingest.

Null and NaN are missing. The reasons for rejects are those of CSV text: fractions for integers,
integers beyond 2^53, infinities, NUL, bytes that are not UTF-8, texts that are not times. Decimals
are read as the same digits in CSV are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from components.examples import ARROW_TYPES
from components.sources.cells import Cells, as_booleans, as_floats, as_times, convert
from components.sources.rejects import RejectReason
from components.sources.texts import with_nulls
from components.times import format_of, of_arrow_times, read_texts, unit_of, write_texts
from schemas.columns import LARGEST_INTEGER, Column
from schemas.types import BOOL, BOOL_TEXT, BYTES, FLOAT, FLOAT_TEXT, INT, TIME, TIME_TEXT

WRONG_TYPE = {
    INT.name: RejectReason.NOT_AN_INTEGER,
    FLOAT.name: RejectReason.NOT_A_NUMBER,
    FLOAT_TEXT.name: RejectReason.NOT_A_NUMBER,
    BYTES.name: RejectReason.NOT_TEXT,
    BOOL.name: RejectReason.NOT_A_BOOLEAN,
    BOOL_TEXT.name: RejectReason.NOT_A_BOOLEAN,
    TIME.name: RejectReason.NOT_A_TIME,
    TIME_TEXT.name: RejectReason.NOT_A_TIME,
}

_ARROW_TEXT = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def fits(arrow: pa.DataType, column: Column) -> bool:
    """Return whether values of an Arrow type can be those of a column.

    Other types would need a rule that training did not have: a date in a column of text, for
    example, is text in CSV, and ingest reads that text.

    >>> fits(pa.uint8(), Column("x", "INT", True)), fits(pa.bool_(), Column("x", "INT", True))
    (True, False)
    """
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if pa.types.is_null(arrow):
        return True
    kind = column.type
    if kind.is_boolean and pa.types.is_boolean(arrow):
        return True
    if kind.is_time and _is_time(arrow):
        return True
    if kind.is_requested_as_text and arrow in _ARROW_TEXT:
        return True
    return _is_number(arrow) and (kind is FLOAT_TEXT or not kind.is_requested_as_text)


def _is_number(arrow: pa.DataType) -> bool:
    return (
        pa.types.is_integer(arrow)
        or arrow in (pa.float32(), pa.float64())
        or pa.types.is_decimal(arrow)
    )


def _is_time(arrow: pa.DataType) -> bool:
    return pa.types.is_timestamp(arrow) or pa.types.is_date(arrow)


def of_arrow(
    array: pa.Array, column: Column, cleaned: Callable[[pa.Array], pa.Array] | None = None
) -> Cells | None:
    """Return a column of a Parquet file as a column of a table.

    Args:
      array: its values.
      column: the column.
      cleaned: what a source does to text before it is read: null where it means missing.

    Returns:
      Values and reasons; None if the array's type does not fit.

    >>> of_arrow(pa.array([1.0, 1.5, None]), Column("x", "INT", True)).values.to_pylist()
    [1, None, None]
    """
    if not fits(array.type, column):
        return None
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return Cells(pa.nulls(len(array), ARROW_TYPES[column.kind]), np.zeros(len(array), np.uint8))
    if pa.types.is_boolean(array.type):
        return _of_booleans(array, column)
    if _is_time(array.type):
        return _of_times(array, column)
    if array.type in _ARROW_TEXT:
        return of_texts(array, column, cleaned)
    return _of_numbers(array, column)


def _of_numbers(array: pa.Array, column: Column) -> Cells:
    if pa.types.is_decimal(array.type):
        return convert(_digits(array), column)  # as CSV has them
    if column.type in (FLOAT, FLOAT_TEXT):
        return _floats(array, column)
    numbers, reasons = _wholes(array)
    if column.type is BOOL:
        return as_booleans(numbers, reasons)
    if column.type is TIME:
        return as_times(numbers, reasons, column)
    return Cells(numbers, reasons)


def of_json(
    values: Sequence[Any],
    column: Column,
    cleaned: Callable[[pa.Array], pa.Array] | None = None,
) -> Cells:
    """Return values that JSON was parsed to as a column of a table; `cleaned` as in `of_arrow`.

    >>> of_json([3, 3.0, "3", None], Column("x", "INT", True)).values.to_pylist()
    [3, 3, None, None]
    """
    fitting = {*column.type.json, type(None)}
    wrong = np.array([type(v) not in fitting for v in values], bool)
    if column.type.is_whole and float in set(map(type, values)):
        wrong |= np.array([type(v) is float and not v.is_integer() for v in values], bool)
    if wrong.any():
        values = [None if bad else v for v, bad in zip(values, wrong, strict=True)]
    if column.type.is_boolean:
        false, true = column.booleans
        values = [(true if v else false) if type(v) is bool else v for v in values]
    if column.type is FLOAT_TEXT:
        values = [repr(_as_float(v)) if type(v) in (int, float) else v for v in values]
    try:
        cells = of_arrow(_array(values, column), column, cleaned)
    except (UnicodeEncodeError, pa.ArrowInvalid):  # half of a surrogate pair
        texts = [_encodable(value) for value in values]
        wrong |= np.array([t is None and v is not None for t, v in zip(texts, values, strict=True)])
        cells = of_arrow(_array(texts, column), column, cleaned)
    assert cells is not None  # _array returns types that fit
    cells.reasons[wrong] = WRONG_TYPE[column.kind]
    return cells


def _array(values: Sequence[Any], column: Column) -> pa.Array:
    if column.type.is_requested_as_text:
        return pa.array(values, pa.string())
    if column.type.is_whole:
        # an integer beyond int64 is beyond 2^53 in any case
        edge = LARGEST_INTEGER + 1
        whole = [v if v is None else max(-edge, min(int(v), edge)) for v in values]
        return pa.array(whole, pa.int64())
    return pa.array([v if v is None else _as_float(v) for v in values], pa.float64())


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _encodable(text: str | None) -> str | None:
    try:
        return text if text is None or text.encode() is not None else None
    except UnicodeEncodeError:
        return None


def of_texts(
    array: pa.Array, column: Column, cleaned: Callable[[pa.Array], pa.Array] | None
) -> Cells:
    """Return texts as a column of any type, read as CSV's are; `cleaned` as in `of_arrow`."""
    texts, reasons = _decoded(array)
    if cleaned is not None:
        texts = cleaned(texts)
    elif not column.type.is_text or column.type.is_boolean:
        texts = with_nulls(texts, [""])  # as in a request; a BYTES column may hold it
    values, more = convert(texts, column)
    return Cells(values, np.where(reasons > 0, reasons, more))


def _decoded(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    reasons = np.zeros(len(array), np.uint8)
    array = array.cast(pa.binary())  # a file's text may not be UTF-8; nothing has checked it
    try:
        return array.cast(pa.string()), reasons
    except pa.ArrowInvalid:
        texts = [None if value is None else _text(value) for value in array.to_pylist()]
        decoded = pa.array(texts, pa.string())
        reasons[np.asarray(decoded.is_null()) & np.asarray(array.is_valid())] = (
            RejectReason.NOT_UTF8
        )
        return decoded, reasons


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _wholes(array: pa.Array) -> Cells:
    """Return integers, or floats without fractions, as int64 within ±2**53."""
    if pa.types.is_integer(array.type):
        missing = np.asarray(array.is_null())
        numbers = array.fill_null(0).to_numpy(zero_copy_only=False)
        reasons = np.zeros(len(array), np.uint8)
        reasons[(numbers > LARGEST_INTEGER) | (numbers < -LARGEST_INTEGER)] = (
            RejectReason.INTEGER_BEYOND_2_53
        )
        return Cells(pa.array(numbers.astype(np.int64), mask=missing | (reasons > 0)), reasons)
    numbers = array.cast(pa.float64()).fill_null(np.nan).to_numpy()
    missing, reasons = np.isnan(numbers), np.zeros(len(array), np.uint8)
    whole = np.floor(numbers) == numbers
    reasons[np.abs(numbers) > LARGEST_INTEGER] = RejectReason.INTEGER_BEYOND_2_53
    reasons[~missing & ~(whole & np.isfinite(numbers))] = RejectReason.NOT_AN_INTEGER
    unfit = missing | (reasons > 0)
    return Cells(pa.array(np.where(unfit, 0, numbers).astype(np.int64), mask=unfit), reasons)


def _floats(array: pa.Array, column: Column) -> Cells:
    """Return numbers as float64, then as the column's floats: rounded twice, as text is in CSV."""
    reasons = np.zeros(len(array), np.uint8)
    if pa.types.is_integer(array.type):
        numbers = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
        return as_floats(numbers, np.asarray(array.is_null()), reasons, column)
    numbers = array.cast(pa.float64()).fill_null(np.nan).to_numpy()
    return as_floats(numbers, np.isnan(numbers), reasons, column)


def _digits(array: pa.Array) -> pa.Array:
    """Return decimals as text without an exponent; Arrow's own cast is not in all releases."""
    texts = [None if value is None else f"{value:f}" for value in array.to_pylist()]
    return pa.array(texts, pa.string())


def _of_booleans(array: pa.Array, column: Column) -> Cells:
    texts_or_numbers = pa.array(column.booleans)
    return Cells(
        texts_or_numbers.take(array.cast(pa.int8())).cast(ARROW_TYPES[column.kind]),
        np.zeros(len(array), np.uint8),
    )


def _of_times(array: pa.Array, column: Column) -> Cells:
    """Return timestamps or dates that the column's unit or format can write exactly."""
    missing = np.asarray(array.is_null())
    times, beyond, fine = of_arrow_times(array)
    if column.type is TIME:
        fine |= times % unit_of(column) != 0
    else:
        form = format_of(*column.form)
        back, _ = read_texts(write_texts(times, form), form)
        fine |= back != times
    reasons = np.zeros(len(array), np.uint8)
    reasons[fine] = RejectReason.TIME_TOO_FINE
    reasons[beyond] = RejectReason.TIME_BEYOND_RANGE
    reasons[missing] = RejectReason.FITS
    return Cells(pa.array(times, mask=missing | (reasons > 0)), reasons)
