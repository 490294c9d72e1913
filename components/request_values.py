"""What a request's column may hold: the first value that it may not, and in words what it may.

The graph decides; this finds the value that it refused. Columns of types that no graph refuses have
no such value. TensorFlow is not imported.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from components.calendar import read_time
from schemas.columns import FLOAT32_END, LARGEST_INTEGER, LONGEST_NUMBER, NUMBER, Column
from schemas.time_formats import UNITS, TimeFormat
from schemas.types import BOOL, BOOL_TEXT, FLOAT_TEXT, INT, TIME, TIME_TEXT

_NUMBER = re.compile(rf"{NUMBER}|[+-]?nan".encode(), re.IGNORECASE)
_ANY_INTEGER = Column("", INT.name, serving=True)


def column_of(column: Column | None, numeric: bool) -> Column | None:
    """Return a column; a number without a known one is an integer where a graph refuses numbers."""
    return _ANY_INTEGER if column is None and numeric else column


def first_wrong(values: Iterable[Any], column: Column) -> int | None:
    """Return the position of the first value that a column cannot have; None if there is none.

    Args:
      values: as requests carry them: numbers, NaN where missing, or bytes, b"" where missing.
      column: the column.
    """
    if column.type not in _FITS:
        return None
    fits, _ = _FITS[column.type](column)
    for row, value in enumerate(values):
        missing = value == b"" or value != value  # only NaN differs from itself
        if not missing and not fits(value):
            return row
    return None


def expected(column: Column) -> str:
    """Return the values that a column may have, in words."""
    missing = (
        'or "" where it is missing'
        if column.type.is_requested_as_text
        else ("or NaN where it is missing")
    )
    return f"{_FITS[column.type](column)[1]}, {missing}"


_Fits = Callable[[Any], bool]


def _integers(_: Column) -> tuple[_Fits, str]:
    return _is_whole, "a whole number within ±2**53"


def _is_whole(value: float) -> bool:
    return abs(value) <= LARGEST_INTEGER and value == int(value)


def _booleans(_: Column) -> tuple[_Fits, str]:
    return lambda value: value in (0, 1), "0 or 1 (in JSON also false or true)"


def _two_texts(column: Column) -> tuple[_Fits, str]:
    texts = [text.encode() for text in column.form]
    true, false = column.form
    return lambda value: value in texts, f"{true!r} or {false!r} (in JSON also true or false)"


def _written_numbers(_: Column) -> tuple[_Fits, str]:
    words = f"a decimal number within ±{FLOAT32_END:.3g}, as text of at most {LONGEST_NUMBER}"
    return _is_number, f"{words} characters (in JSON also as a number)"


def _is_number(text: bytes) -> bool:
    if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return False
    return not abs(float(text)) >= FLOAT32_END


def _numbered_times(column: Column) -> tuple[_Fits, str]:
    (unit,) = column.form
    most = LARGEST_INTEGER // UNITS[unit]
    return (
        lambda value: _is_whole(value) and abs(value) <= most,
        f"a time as {unit}: a whole number within ±{most}",
    )


def _written_times(column: Column) -> tuple[_Fits, str]:
    (text,) = column.form
    read = functools.partial(read_time, form=TimeFormat.of(text))
    return lambda value: read(value) is not None, f"a time from 1684 to 2255 in the format {text!r}"


_FITS: dict[Any, Callable[[Column], tuple[_Fits, str]]] = {
    INT: _integers,
    BOOL: _booleans,
    BOOL_TEXT: _two_texts,
    FLOAT_TEXT: _written_numbers,
    TIME: _numbered_times,
    TIME_TEXT: _written_times,
}
