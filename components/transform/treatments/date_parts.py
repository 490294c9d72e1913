"""`date_parts`: month, day, hour and other parts of a time, in UTC."""

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
    week_of,
    weekday_of,
)
from components.column_tensors import by_name
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.date_parts import DateParts
from schemas.types import INT

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_YEARS = range(1_685, 2_255)  # whole ones within 2**53 microseconds of 1970


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the parts from 1; missing is 0."""
    options: dict[str, DateParts] = {use.column: use.options for use in uses}
    time = tf.stack([inputs[column] for column in options])  # [columns, rows]
    missing = tf.equal(time, tf.constant(INT.missing, tf.int64))
    zero = tf.zeros([], tf.int64)
    wanted = {part for of_column in options.values() for part in of_column.parts}
    out: dict[str, tf.Tensor] = {}
    for part, number in _parts_of(tf.where(missing, zero, time), wanted).items():
        every = by_name(options, tf.where(missing, zero, number))
        out |= {f"{c}_{part}": every[c] for c, o in options.items() if part in o.parts}
    return out


def _parts_of(time: tf.Tensor, wanted: Collection[str]) -> dict[str, tf.Tensor]:
    """Return the number of each part, from 1, of microseconds since 1970."""
    days = time // DAY
    _, month, day = date_of(days)
    parts: dict[str, Callable[[], Any]] = {
        "month": lambda: month,
        "day": lambda: day,
        "weekday": lambda: weekday_of(days),
        "hour": lambda: time // HOUR % 24 + 1,
        "minute": lambda: time // MINUTE % 60 + 1,
        "second": lambda: time // SECOND % 60 + 1,
        "quarter": lambda: (month + 2) // 3,
        "week": lambda: week_of(days),
        "day_of_year": lambda: day_of_year_of(days),
    }
    return {part: number() for part, number in parts.items() if part in wanted}


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, the times at which months begin, and with them days and hours."""
    months = [float(days_of(year, month, 1) * DAY) for year in _YEARS for month in range(1, 13)]
    return dict.fromkeys(sorted({f.columns[0] for f in features}), months)
