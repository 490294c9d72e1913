"""Calendar arithmetic: fields of a time ⇄ microseconds since 1970-01-01 00:00 UTC.

The functions take whole numbers of Python, int64 arrays of numpy, or int64 tensors of TensorFlow,
and use only operators that give the same result on all of them. The calendar is the Gregorian one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.columns import LARGEST_INTEGER
from schemas.time_formats import FRACTION, SIGN, TimeFormat

DAY = 86_400_000_000  # microseconds
HOUR, MINUTE, SECOND = DAY // 24, DAY // 1_440, 1_000_000

_EPOCH = 719_468  # days from 0000-03-01, where a year of this arithmetic begins, to 1970-01-01


def days_of(year: Any, month: Any, day: Any) -> Any:
    """Return the days since 1970-01-01 of a date.

    Source: `days_from_civil` in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".

    >>> days_of(1970, 1, 1), days_of(2000, 3, 1), days_of(1969, 12, 31)
    (0, 11017, -1)
    """
    before_march = (14 - month) // 12
    year = year - before_march
    day_of_year = (153 * (month + 12 * before_march - 3) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + day_of_year - _EPOCH


def date_of(days: Any) -> tuple[Any, Any, Any]:
    """Return year, month and day of days since 1970-01-01.

    Source: `civil_from_days`, as above.

    >>> date_of(11016), date_of(-1)
    ((2000, 2, 29), (1969, 12, 31))
    """
    days = days + _EPOCH
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153  # from March, which is 0
    day = day_of_year - (153 * month + 2) // 5 + 1
    return year_of_era + era * 400 + month // 10, month + 3 - 12 * (month // 10), day


def weekday_of(days: Any) -> Any:
    """Return the day of the week of days since 1970-01-01: 1 is Monday, 7 is Sunday."""
    return (days + 3) % 7 + 1


def week_of(days: Any) -> Any:
    """Return the week of the year by ISO 8601, 1 to 53: a week is in the year of its Thursday."""
    thursday = _thursday(days)
    year, _, _ = date_of(thursday)
    return (thursday - days_of(year, 1, 1)) // 7 + 1


def iso_year_of(days: Any) -> Any:
    """Return the year that the week by ISO 8601 belongs to.

    >>> iso_year_of(days_of(2021, 1, 3)), iso_year_of(days_of(2021, 1, 4))
    (2020, 2021)
    """
    return date_of(_thursday(days))[0]


def _thursday(days: Any) -> Any:
    """Return the Thursday of the same week, from Monday to Sunday."""
    return days - weekday_of(days) + 4


def day_of_year_of(days: Any) -> Any:
    """Return the day of the year, 1 to 366."""
    year, _, _ = date_of(days)
    return days - days_of(year, 1, 1) + 1


def time_of(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the microseconds of a time's fields, and whether there is such a time.

    It may be beyond ±2**53, which examples do not hold.

    Args:
      fields: of a `TimeFormat`. A fraction is a 1 before its digits, the sign of a zone 1 or -1, a
        name its place among the names.

    >>> time_of({"year": 1970, "month": 1, "day": 2, "hour": 0, "minute": 0})
    (86400000000, True)
    >>> time_of({"year": 2023, "month": 2, "day": 29})[1]
    False
    """
    year = fields["year"] if "year" in fields else 1_969 + (fields["short_year"] + 31) % 100
    zero = year * 0
    if "day_of_year" in fields:
        days = days_of(year, zero + 1, zero + 1) + fields["day_of_year"] - 1
        wrong = abs(date_of(days)[0] - year)
    else:
        month, day = fields.get("month", zero + 1), fields.get("day", zero + 1)
        days = days_of(year, month, day)
        back = date_of(days)
        wrong = abs(back[0] - year) + abs(back[1] - month) + abs(back[2] - day)
    hour = fields.get("hour", zero)
    if "hour12" in fields:
        hour = fields["hour12"] % 12 + 12 * fields["half"]
        wrong = wrong + abs((fields["hour12"] + 11) // 12 - 1)
    minute, second = fields.get("minute", zero), fields.get("second", zero)
    offset = zero
    if SIGN in fields:
        offset = fields[SIGN] * (fields["zone_hour"] * 60 + fields["zone_minute"])
        wrong = wrong + fields["zone_hour"] // 24 + fields["zone_minute"] // 60
    wrong = wrong + hour // 24 + minute // 60 + second // 60
    seconds = (hour * 60 + minute - offset) * 60 + second
    time = days * DAY + seconds * SECOND + _fraction(fields, zero)
    return time, wrong < 1


def _fraction(fields: Mapping[str, Any], zero: Any) -> Any:
    """Return the microseconds of a fraction's digits behind a 1: 15 is half a second."""
    if FRACTION not in fields:
        return zero
    digits = fields[FRACTION]
    for _ in range(5):  # until there are six, of which the first 1 is a million
        digits = digits * (10 - 9 * (digits // SECOND))
    return digits - SECOND


def read_time(text: bytes, form: TimeFormat) -> int | None:
    """Return the microseconds of one text; None if it is not a time in this format within ±2**53.

    >>> read_time(b"2024-02-29 10:00", TimeFormat.of("%Y-%m-%d %H:%M")) == 19782 * DAY + 10 * HOUR
    True
    >>> read_time(b"2023-02-29 10:00", TimeFormat.of("%Y-%m-%d %H:%M"))
    """
    groups = (*form.numbers, *form.names)
    match = re.fullmatch(form.pattern(groups, named=True).encode(), text)
    if match is None:
        return None
    written = {field: (match[field] or b"").decode() for field in groups}
    fields: dict[str, int] = {
        field: names.index(written[field].lower()) for field, names in form.names.items()
    }
    for field in form.numbers:
        fields[field] = int(prefix_of(field, written[field]))
    time, valid = time_of(fields)
    return time if valid and abs(time) <= LARGEST_INTEGER else None


def prefix_of(field: str, digits: str) -> str:
    """Return a field's digits as a whole number is read from, also where there are none.

    >>> prefix_of("zone_hour", ""), prefix_of("fraction", "5"), prefix_of("sign", "-")
    ('0', '15', '-1')
    """
    if field == SIGN:
        return f"{digits}1"
    return f"1{digits}" if field == FRACTION else f"0{digits}"
