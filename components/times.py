"""Times as Arrow columns: text ⇄ microseconds since 1970 in UTC, and Arrow's own types of times."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.calendar import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    date_of,
    day_of_year_of,
    prefix_of,
    time_of,
)
from schemas.columns import LARGEST_INTEGER, Column
from schemas.time_formats import FRACTION, UNITS, Directive, TimeFormat

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DATE64_PER_DAY = 86_400_000


@functools.lru_cache(maxsize=256)
def format_of(text: str) -> TimeFormat:
    """Return a format, which is parsed once."""
    return TimeFormat.of(text)


def unit_of(column: Column) -> int:
    """Return the microseconds of the unit in which requests and files have a time as a number."""
    (unit,) = column.form
    return UNITS[unit]


def read_texts(texts: pa.Array, form: TimeFormat) -> tuple[np.ndarray, np.ndarray]:
    """Return the times of texts, and which ones are times in this format.

    Args:
      texts: string; null where missing.
      form: their format.

    Returns:
      Microseconds, int64 [rows], 0 where there is no time, and perhaps beyond ±2**53; and bool
      [rows].
    """
    groups = (*form.numbers, *form.names)
    found = pc.extract_regex(texts, pattern=f"^(?:{form.pattern(groups, named=True)})$")
    matches = found.is_valid().to_numpy(zero_copy_only=False)
    rows = pa.array(np.flatnonzero(matches))
    fields = {}
    for field in groups:
        written = found.field(field).take(rows)
        if field in form.names:
            names = pa.array(form.names[field])
            number = pc.index_in(pc.ascii_lower(written), value_set=names)
        else:
            before, _, after = prefix_of(field, "|").partition("|")
            number = pc.binary_join_element_wise(before, written, after, "")
        fields[field] = number.cast(pa.int64()).to_numpy(zero_copy_only=False)
    times, valid = np.zeros(len(texts), np.int64), np.zeros(len(texts), bool)
    if len(rows):
        found_times, real = time_of(fields)
        times[matches], valid[matches] = np.where(real, found_times, 0), real
    return times, valid


def write_texts(times: np.ndarray, form: TimeFormat) -> pa.Array:
    """Return times as texts in a format, which may be too short to tell them apart.

    Args:
      times: microseconds, int64 [rows].
      form: the format.
    """
    days = times // DAY
    date = date_of(days)
    values = {
        "year": date[0],
        "short_year": date[0] % 100,
        "month": date[1],
        "day": date[2],
        "day_of_year": day_of_year_of(days),
        "hour": times // HOUR % 24,
        "hour12": (times // HOUR + 11) % 12 + 1,
        "half": times // HOUR % 24 // 12,
        "minute": times // MINUTE % 60,
        "second": times // SECOND % 60,
        FRACTION: times % SECOND,
    }
    parts = [pa.array(np.full(len(times), "", object), pa.string())]
    for part in form.parts:
        if isinstance(part, str):
            parts.append(pa.scalar(part))
        elif part.field == "zone":
            parts.append(pa.scalar("+0000"))
        elif part.field == FRACTION:
            high, low = np.divmod(values[FRACTION], 1_000)
            parts += [_padded(3).take(pa.array(high)), _padded(3).take(pa.array(low))]
        else:
            parts.append(_spelling(part).take(pa.array(values[part.field])))
    return pc.binary_join_element_wise(*parts, "")


def _spelling(part: Directive) -> pa.Array:
    """Return the texts of a field by its values."""
    if part.names:
        spell = str.upper if part.field == "half" else str.capitalize
        return pa.array([spell(name) for name in part.names])
    return _padded(part.digits)


@functools.lru_cache(maxsize=8)
def _padded(digits: int) -> pa.Array:
    return pa.array([f"{number:0{digits}}" for number in range(10**digits)])


def of_arrow_times(array: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the times of a column of timestamps or dates.

    A timestamp with a zone is an instant. One without is taken as UTC, a date as its beginning.

    Returns:
      Microseconds, int64 [rows]; which ones are beyond ±2**53; and which ones are finer than a
      microsecond. Where one is true, or the value is null, the microseconds mean nothing.
    """
    kind = array.type
    if pa.types.is_timestamp(kind):
        per_second = _PER_SECOND[kind.unit]
    elif pa.types.is_date64(kind):
        per_second = 1_000
    else:
        array = array.cast(pa.int32())
        per_second = 0
    values = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if not per_second:
        factor, divisor = DAY, 1
    elif per_second <= SECOND:
        factor, divisor = SECOND // per_second, 1
    else:
        factor, divisor = 1, per_second // SECOND
    whole, rest = np.divmod(values, divisor)
    most = LARGEST_INTEGER // factor
    beyond = (whole > most) | (whole < -most)
    return np.where(beyond, 0, whole) * factor, beyond, rest != 0
