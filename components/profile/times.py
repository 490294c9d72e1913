"""Finds the format of a column of dates or times that are written as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from components.times import format_of as parsed
from components.times import of_arrow_times, read_texts

if TYPE_CHECKING:
    from components.profile.types import Typed
    from components.profile.values import ColumnValues

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%d-%b-%Y")
_CLOCKS = ("", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_BETWEEN = (" ", "T")
_ZONES = ("", "Z", "%z", " UTC")
_LEAST_STEPS = 20
_IN_ORDER = 0.99  # share of the steps between rows that go the same way
_MOST = 2_000  # distinct texts that are tried
_NEARLY_ALL = 0.99  # share of the values that are times, where a few are not
_TRIED = 3  # texts, of which one has the format of the others
_LIKE = re.compile(r"^[0-9]{1,4}[-/.][0-9A-Za-z]{1,3}[-/.][0-9]{1,4}(\D|$)|^[0-9]{8}(\D|$)")

FORMATS = tuple(
    dict.fromkeys(
        f"{date}{between}{clock}{zone}" if clock else date
        for date, clock, between, zone in product(_DATES, _CLOCKS, _BETWEEN, _ZONES)
    )
)


def format_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that fit all texts, the likeliest first; none if they are not times.

    >>> format_of(["2024-05-31 17:00:00", "2024-06-01 08:30:00"])
    ('%Y-%m-%d %H:%M:%S',)
    >>> format_of(["01/02/2024", "03/04/2024"])
    ('%m/%d/%Y', '%d/%m/%Y')
    """
    tried = list(texts[:_MOST])
    if not tried or not all(map(_LIKE.search, tried)):
        return ()  # at once: Python compiles each format that it tries
    formats = [f for f in FORMATS if _may_fit(tried[0], f) and _fits(tried[0], f)]
    return tuple(f for f in formats if all(_fits(text, f) for text in tried))


def format_of_most(column: ColumnValues) -> tuple[str, pa.Array] | None:
    """Return the format that nearly all texts of a column have, and the other texts, each once.

    Such as the 30th of February, or a number among dates; a run rejects their rows.
    """
    texts, counts = column.counts
    some = texts.slice(0, _MOST).to_pylist()
    likely = list(filter(_LIKE.search, some))
    if len(likely) < _NEARLY_ALL * len(some):
        return None
    for form in dict.fromkeys(f for text in likely[:_TRIED] for f in format_of([text])):
        _, valid = read_texts(texts, parsed(form))
        if counts[valid].sum() >= _NEARLY_ALL * counts.sum():
            return form, texts.filter(pa.array(~valid))
    return None


def _may_fit(text: str, form: str) -> bool:
    """Return whether a text has the format's own characters, and a clock if the format has one."""
    has_clock = ":" in text
    return has_clock == ("%M" in form) and set(re.sub("%.", "", form)) <= set(text)


def _fits(text: str, form: str) -> bool:
    """Return whether a text is a time of this format, written as the format writes it."""
    try:
        read = datetime.strptime(text, form)  # noqa: DTZ007 - whether there is one is all that counts
    except ValueError:
        return False
    return 1685 <= read.year <= 2254 and len(text) >= len("1-1-2000")


def in_order(column: Typed) -> bool:
    """Return whether a table's rows are in the order of a column of times, or in the reverse one.

    Many rows of one time, as in a table that is sorted by day, are in order; a table of a few times
    is not.
    """
    array = column.column.array
    if pa.types.is_string(array.type):
        times, _ = read_texts(array, parsed(column.form))
    elif pa.types.is_integer(array.type):
        times = array.to_numpy(zero_copy_only=False)
    else:
        times, _, _ = of_arrow_times(array)
    steps = np.sign(np.diff(times))
    moved = steps[steps != 0]
    if len(moved) < _LEAST_STEPS:
        return False
    return bool(max((moved > 0).mean(), (moved < 0).mean()) >= _IN_ORDER)
