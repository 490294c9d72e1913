"""`date_parts`: month, day, hour and other parts of a time, on the clocks of a zone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from components.calendar import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    date_of,
    day_of_year_of,
    days_of,
    iso_year_of,
    week_of,
    weekday_of,
)
from components.column_tensors import by_name
from components.transform.constants import times_by_column
from components.transform.treatments.protocol import Use
from components.transform.zones import to_local
from schemas.layout import TransformedFeature
from schemas.treatments.date_parts import FIRST_YEAR, DateParts
from schemas.types import INT

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_YEARS = range(FIRST_YEAR + 1, 2_255)  # whole ones within 2**53 microseconds of 1970


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the parts from 1; missing is 0."""
    options: dict[str, DateParts] = {use.column: use.options for use in uses}
    time = tf.stack([inputs[column] for column in options])  # [columns, rows]
    missing = tf.equal(time, tf.constant(INT.missing, tf.int64))
    zero = tf.zeros([], tf.int64)
    local = to_local(tf.where(missing, zero, time), [o.zone for o in options.values()])
    wanted = {part for of_column in options.values() for part in of_column.parts}
    numbers = _parts_of(local, wanted)
    if any(o.holidays for o in options.values()):
        numbers["holiday"] = tf.stack(
            [_holiday(own, o) for own, o in zip(tf.unstack(local), options.values(), strict=True)]
        )
    out: dict[str, tf.Tensor] = {}
    for part, number in numbers.items():
        every = by_name(options, tf.where(missing, zero, number))
        out |= {f"{c}_{part}": every[c] for c, o in options.items() if _has(o, part)}
    return out


def _has(options: DateParts, part: str) -> bool:
    return bool(options.holidays) if part == "holiday" else part in options.parts


def _parts_of(time: tf.Tensor, wanted: Collection[str]) -> dict[str, tf.Tensor]:
    """Return the number of each part, from 1, of microseconds since 1970."""
    days = time // DAY
    year, month, day = date_of(days)
    parts: dict[str, Callable[[], Any]] = {
        "year": lambda: year - FIRST_YEAR + 1,
        "iso_year": lambda: iso_year_of(days) - FIRST_YEAR + 1,
        "quarter": lambda: (month + 2) // 3,
        "month": lambda: month,
        "week": lambda: week_of(days),
        "day_of_year": lambda: day_of_year_of(days),
        "day": lambda: day,
        "weekday": lambda: weekday_of(days),
        "hour": lambda: time // HOUR % 24 + 1,
        "minute": lambda: time // MINUTE % 60 + 1,
        "second": lambda: time // SECOND % 60 + 1,
        "is_weekend": lambda: _yes(weekday_of(days) >= 6),
        "is_month_start": lambda: _yes(tf.equal(day, 1)),
        "is_month_end": lambda: _yes(tf.equal(date_of(days + 1)[2], 1)),
    }
    return {part: number() for part, number in parts.items() if part in wanted}


def _yes(condition: tf.Tensor) -> tf.Tensor:
    return tf.cast(condition, tf.int64) + 1


def _holiday(time: tf.Tensor, options: DateParts) -> tf.Tensor:
    """Return the number of each time's holiday, int64 [rows], 1 on other days."""
    if not options.holidays:
        return tf.ones_like(time)
    # As times, so that `boundaries` finds them.
    begins = [days_of(day.year, day.month, day.day) * DAY for day, _ in options.holidays]
    numbers = [options.holiday_names.index(name) + 2 for _, name in options.holidays]
    begin = tf.constant(begins, tf.int64)
    place = tf.maximum(tf.searchsorted(begin, time, side="right") - 1, 0)
    is_holiday = tf.equal(tf.gather(begin, place), time // DAY * DAY)
    number = tf.gather(tf.constant(numbers, tf.int64), place)
    return tf.where(is_holiday, number, tf.ones([], tf.int64))


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, the times at which months and holidays begin and clocks change.

    With months, days and hours begin, too.
    """
    months = [float(days_of(year, month, 1) * DAY) for year in _YEARS for month in range(1, 13)]
    own = times_by_column(graph, features)
    return {column: sorted({*months, *times}) for column, times in own.items()}
