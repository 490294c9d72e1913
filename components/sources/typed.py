"""Converts typed values of Parquet or JSON to those of a raw column, as strictly as ingest.

Null and NaN are missing. The reasons for rejects are those of CSV text: fractions for integers,
integers beyond 2^53, infinities, NUL, bytes that are not UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import ARROW_TYPES
from components.sources.cells import Cells, without
from components.sources.rejects import RejectReason
from schemas.columns import LARGEST_INTEGER
from schemas.types import BYTES, FLOAT, INT, TYPES

_WRONG_TYPE = {
    INT.name: RejectReason.NOT_AN_INTEGER,
    FLOAT.name: RejectReason.NOT_A_NUMBER,
    BYTES.name: RejectReason.NOT_TEXT,
}

_ARROW_TEXT = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def fits(arrow: pa.DataType, kind: str) -> bool:
    """Return whether values of an Arrow type can be those of a type of column.

    Other types would need a rule that training did not have: dates, decimals and booleans are text
    in CSV, and ingest reads that text.

    >>> fits(pa.uint8(), "INT"), fits(pa.bool_(), "INT"), fits(pa.null(), "INT")
    (True, False, True)
    """
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if pa.types.is_null(arrow):
        return True
    if TYPES[kind].is_text:
        return arrow in _ARROW_TEXT
    return pa.types.is_integer(arrow) or arrow in (pa.float32(), pa.float64())


def of_arrow(array: pa.Array, kind: str) -> Cells | None:
    """Return a column of a Parquet file as a column of a type.

    Returns:
      Values and reasons; None if the array's type does not fit.

    >>> of_arrow(pa.array([1.0, 1.5, None]), "INT").values.to_pylist()
    [1, None, None]
    """
    if not fits(array.type, kind):
        return None
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return Cells(pa.nulls(len(array), ARROW_TYPES[kind]), np.zeros(len(array), np.uint8))
    if TYPES[kind].is_text:
        return _texts(array)
    if pa.types.is_integer(array.type):
        return _of_integers(array, kind)
    return _of_floats(array, kind)


def of_json(values: Sequence[Any], kind: str) -> Cells:
    """Return values that JSON was parsed to as a column of a type.

    >>> of_json([3, 3.0, "3", None], "INT").values.to_pylist()
    [3, 3, None, None]
    """
    fitting = {*TYPES[kind].json, type(None)}
    wrong = np.array([type(v) not in fitting for v in values], bool)
    if TYPES[kind].is_whole and float in set(map(type, values)):
        wrong |= np.array([type(v) is float and not v.is_integer() for v in values], bool)
    if wrong.any():
        values = [None if bad else v for v, bad in zip(values, wrong, strict=True)]
    try:
        cells = of_arrow(_array(values, kind), kind)
    except (UnicodeEncodeError, pa.ArrowInvalid):  # half of a surrogate pair
        texts = [_encodable(value) for value in values]
        wrong |= np.array([t is None and v is not None for t, v in zip(texts, values, strict=True)])
        cells = of_arrow(_array(texts, kind), kind)
    assert cells is not None  # _array returns types that fit
    cells.reasons[wrong] = _WRONG_TYPE[kind]
    return cells


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if TYPES[kind].is_text:
        return pa.array(values, pa.string())
    if TYPES[kind].is_whole:
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


def _texts(array: pa.Array) -> Cells:
    array, reasons = _decoded(array)
    reasons[pc.match_substring(array, "\0").fill_null(False).to_numpy(zero_copy_only=False)] = (
        RejectReason.CONTAINS_NUL
    )
    return Cells(without(array, reasons), reasons)


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


def _of_integers(array: pa.Array, kind: str) -> Cells:
    missing = np.asarray(array.is_null())
    numbers = array.fill_null(0).to_numpy(zero_copy_only=False)
    reasons = np.zeros(len(array), np.uint8)
    if not TYPES[kind].is_whole:
        singles = numbers.astype(np.float64).astype(np.float32)  # rounded twice, as text is in CSV
        return Cells(pa.array(singles, mask=missing), reasons)
    reasons[(numbers > LARGEST_INTEGER) | (numbers < -LARGEST_INTEGER)] = (
        RejectReason.INTEGER_BEYOND_2_53
    )
    return Cells(pa.array(numbers.astype(np.int64), mask=missing | (reasons > 0)), reasons)


def _of_floats(array: pa.Array, kind: str) -> Cells:
    numbers = array.cast(pa.float64()).fill_null(np.nan).to_numpy()
    missing, reasons = np.isnan(numbers), np.zeros(len(array), np.uint8)
    if not TYPES[kind].is_whole:
        with np.errstate(over="ignore"):
            singles = numbers.astype(np.float32)
        reasons[np.isinf(singles)] = RejectReason.NOT_FINITE
        return Cells(pa.array(singles, pa.float32(), mask=missing | (reasons > 0)), reasons)
    whole = np.floor(numbers) == numbers
    reasons[np.abs(numbers) > LARGEST_INTEGER] = RejectReason.INTEGER_BEYOND_2_53
    reasons[~missing & ~(whole & np.isfinite(numbers))] = RejectReason.NOT_AN_INTEGER
    unfit = missing | (reasons > 0)
    return Cells(pa.array(np.where(unfit, 0, numbers).astype(np.int64), mask=unfit), reasons)
