"""The times to try in a column: those at which calendars and zones go wrong, and near real ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from components.calendar import DAY, HOUR, MINUTE, SECOND, days_of
from components.times import format_of, read_texts, unit_of, write_texts
from schemas.columns import LARGEST_INTEGER, Column
from schemas.types import TIME

_LAST = DAY - 1  # microseconds of a day's last one
_DATES = (
    *((1900, 2, 28), (1900, 3, 1)),  # 1900 is not a leap year, 2000 is
    *((2000, 2, 29), (2000, 3, 1), (2023, 2, 28), (2023, 3, 1), (2024, 2, 29), (2100, 3, 1)),
    *((2020, 12, 31), (2021, 1, 1), (2021, 1, 3), (2021, 1, 4)),  # ISO week 53, then 1
    *((2024, 3, 10), (2024, 3, 31), (2024, 10, 27), (2024, 11, 3)),  # clocks change
    *((1970, 1, 1), (1969, 12, 31), (2026, 12, 31), (2027, 1, 1), (1999, 12, 31)),
)
_OF_A_DAY = (0, 2 * HOUR + 30 * MINUTE, 12 * HOUR, 23 * HOUR, _LAST)
TIMES = (
    *(days_of(*date) * DAY + time for date in _DATES for time in _OF_A_DAY),
    *(0, -1, 1, -SECOND, SECOND, 999_999, -999_999),
    *((2**31 - 1) * SECOND, 2**31 * SECOND, 2**32 * SECOND, 10**9 * SECOND),
    *(LARGEST_INTEGER, LARGEST_INTEGER - 1, -LARGEST_INTEGER, 1 - LARGEST_INTEGER),
)


def near(time: int) -> Iterator[int]:
    """Yield times that a mistake could make of a real one."""
    for step in (1, SECOND, MINUTE, HOUR, 12 * HOUR, DAY, 365 * DAY):
        yield from (time - step, time + step)
    yield from (time // DAY * DAY, time // HOUR * HOUR, -time)


def around(time: float) -> Iterator[int]:
    """Yield a time and its neighbours."""
    yield from (int(time) - 1, int(time), int(time) + 1)


def writable(times: Iterable[int], column: Column) -> list[int]:
    """Return the times rounded down to those that a request of the column can carry, each once.

    >>> day = Column("day", "TIME", serving=True, form=("UNIX_DAYS",))
    >>> writable([0, -1, 2 * DAY + HOUR], day) == [0, -DAY, 2 * DAY]
    True
    """
    inside = [time for time in times if abs(time) <= LARGEST_INTEGER]
    array = np.array(inside, np.int64)
    if column.type is TIME:
        array = array // unit_of(column) * unit_of(column)
    else:
        form = format_of(*column.form)
        array, _ = read_texts(write_texts(array, form), form)
    return list(dict.fromkeys(array[np.abs(array) <= LARGEST_INTEGER].tolist()))
