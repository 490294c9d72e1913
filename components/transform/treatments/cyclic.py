"""`cyclic`: where in the day, the week or the year a time is, as a point on a circle."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.calendar import DAY, HOUR, date_of, day_of_year_of, days_of, weekday_of
from components.column_tensors import by_name, rounded
from components.transform.constants import times_by_column
from components.transform.treatments.protocol import Use
from components.transform.zones import to_local
from schemas.layout import TransformedFeature
from schemas.treatments.cyclic import Cyclic
from schemas.types import INT

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

# The last digits of a sine differ between TensorFlow's vector and scalar code.
_DIGITS = 2.0**40


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return sine and cosine of each period; both are 0 if the time is missing."""
    options: dict[str, Cyclic] = {use.column: use.options for use in uses}
    time = tf.stack([inputs[column] for column in options])  # [columns, rows]
    missing = tf.equal(time, tf.constant(INT.missing, tf.int64))
    present = tf.where(missing, tf.zeros([], tf.int64), time)
    local = to_local(present, [o.zone for o in options.values()])
    wanted = {period for o in options.values() for period in o.periods}
    out: dict[str, tf.Tensor] = {}
    for period, share in _shares(local, wanted).items():
        angle = 2 * math.pi * share
        for name, values in (("sin", tf.sin(angle)), ("cos", tf.cos(angle))):
            exact = tf.round(values * _DIGITS) / _DIGITS + 0.0  # not -0
            known = tf.where(missing, tf.zeros([], tf.float64), exact)
            every = by_name(options, rounded(known))
            out |= {
                f"{c}_cyclic_{period}_{name}": every[c]
                for c, o in options.items()
                if period in o.periods
            }
    return out


def _shares(time: tf.Tensor, wanted: Collection[str]) -> dict[str, tf.Tensor]:
    """Return the share of each period that has passed at microseconds since 1970, float64."""
    days = time // DAY
    of_day = time - days * DAY

    def month() -> tuple[tf.Tensor, tf.Tensor]:
        year, number, day = date_of(days)
        first = days_of(year, number, 1)  # month 13 is the next year's first
        return (day - 1) * DAY + of_day, (days_of(year, number + 1, 1) - first) * DAY

    def year() -> tuple[tf.Tensor, tf.Tensor]:
        number, _, _ = date_of(days)
        length = days_of(number + 1, 1, 1) - days_of(number, 1, 1)
        return (day_of_year_of(days) - 1) * DAY + of_day, length * DAY

    # What has passed, and the length.
    periods: dict[str, Callable[[], tuple[tf.Tensor, tf.Tensor | int]]] = {
        "hour": lambda: (time % HOUR, HOUR),
        "day": lambda: (of_day, DAY),
        "week": lambda: ((weekday_of(days) - 1) * DAY + of_day, 7 * DAY),
        "month": month,
        "year": year,
    }
    passed = {period: part() for period, part in periods.items() if period in wanted}
    return {
        period: tf.cast(part, tf.float64) / tf.cast(length, tf.float64)
        for period, (part, length) in passed.items()
    }


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, the times at which clocks change."""
    return times_by_column(graph, features)
