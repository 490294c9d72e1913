"""Functions of times in UTC, int64 microseconds since 1970, by the calendar of treatments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from components.expressions.tensors.logic import Arguments, Implementation, strict
from components.expressions.tensors.values import Value, all_known, constant_of, tensors
from schemas.expressions.tree import FunctionCall

_WEEK = 7  # days
_LENGTHS = {"day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND}

_PARTS: dict[str, Callable[[Any], Any]] = {
    "year": lambda time: date_of(time // DAY)[0],
    "quarter": lambda time: (date_of(time // DAY)[1] + 2) // 3,
    "month": lambda time: date_of(time // DAY)[1],
    "week": lambda time: week_of(time // DAY),
    "day": lambda time: date_of(time // DAY)[2],
    "dayofweek": lambda time: weekday_of(time // DAY) % 7,  # Sunday is 0
    "isodow": lambda time: weekday_of(time // DAY),
    "dayofyear": lambda time: day_of_year_of(time // DAY),
    "hour": lambda time: time // HOUR % 24,
    "minute": lambda time: time // MINUTE % 60,
    "second": lambda time: time // SECOND % 60,
}


def _part(node: FunctionCall, arguments: Arguments) -> Value:
    return Value(_PARTS[str(constant_of(node, 0))](arguments[1].values), arguments[1].known)


def _truncated(node: FunctionCall, arguments: Arguments) -> Value:
    time = arguments[1].values
    return Value(_beginning(str(constant_of(node, 0)), time), arguments[1].known)


def _beginning(unit: str, time: Any) -> Any:
    """Return when the year, week, hour, … of a time begins."""
    if unit in _LENGTHS:
        return time // _LENGTHS[unit] * _LENGTHS[unit]
    days = time // DAY
    if unit == "week":
        return (days - weekday_of(days) + 1) * DAY
    year, month, _ = date_of(days)
    first = {"year": month * 0 + 1, "quarter": month - (month - 1) % 3, "month": month}[unit]
    return days_of(year, first, month * 0 + 1) * DAY


def _difference(node: FunctionCall, arguments: Arguments) -> Value:
    """Return how many borders of a unit are between two times; of weeks, how many passed."""
    _, start, end = tensors(arguments)
    unit = str(constant_of(node, 0))
    if unit == "week":
        found = tf.truncatediv(end // DAY - start // DAY, tf.constant(_WEEK, tf.int64))
    else:
        found = _number(unit, end) - _number(unit, start)
    return Value(found, all_known(arguments))


def _number(unit: str, time: Any) -> Any:
    """Return the number of a time's year, month, hour or another unit."""
    if unit in _LENGTHS:
        return time // _LENGTHS[unit]
    year, month, _ = date_of(time // DAY)
    return {"year": year, "quarter": year * 4 + (month - 1) // 3, "month": year * 12 + month}[unit]


TIMES: dict[str, Implementation] = {
    "date_part": _part,
    "date_trunc": _truncated,
    "date_diff": _difference,
    "epoch": strict(lambda time: tf.cast(time, tf.float64) / SECOND),
}
