"""What times become beside their parts: periods that recur in the table, and the time since others.

A day recurs in times with hours, a week after two weeks, a year after two years. A time that is
after another one in nearly every row is measured from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from components.calendar import DAY, HOUR, MINUTE
from components.profile.choices import ColumnChoice
from components.profile.types import Typed
from components.times import format_of, read_texts
from schemas.time_formats import UNITS
from schemas.types import INT

_RECURS = {"week": 2 * 7 * DAY, "year": 2 * 365 * DAY}
_SPANS = {"days": 2 * DAY, "hours": 2 * HOUR, "minutes": 2 * MINUTE, "seconds": 0}
_AFTER = 0.99  # share of rows in which a time is not before another
_LATER = 0.5  # and in which it is later
_KNOWN = 0.5  # share of rows with both


def with_times(choices: tuple[ColumnChoice, ...]) -> tuple[ColumnChoice, ...]:
    """Add `cyclic` and `elapsed` to the times among choices, where they suit."""
    times = {c.name: _microseconds(c.typed) for c in choices if _is_time(c)}
    return tuple(_with_more(c, times) if c.name in times else c for c in choices)


def _is_time(choice: ColumnChoice) -> bool:
    return bool(choice.treatments) and choice.typed.nature == "time"


def _with_more(choice: ColumnChoice, times: Mapping[str, np.ndarray]) -> ColumnChoice:
    own = times[choice.name]
    added, doubt = [], choice.doubt
    periods = ", ".join(_periods(own))
    if periods:
        added.append(f"cyclic: {{periods: [{periods}]}}")
    start = _start(choice.name, times)
    if start is not None:
        between = np.nanmedian(own - times[start])
        unit = next(name for name, least in _SPANS.items() if between >= least)
        other = json.dumps(start, ensure_ascii=False)
        added.append(f"elapsed: {{since_column: {other}, unit: {unit}, log1p: true}}")
        after = f"it is after {start!r} in nearly every row: is it known when a request comes?"
        doubt = "; ".join(filter(None, (doubt, after)))
    return replace(choice, treatments=(*choice.treatments, *added), doubt=doubt)


def _periods(time: np.ndarray) -> Iterator[str]:
    """Yield the periods that recur within times, float64 [rows] with NaN where missing."""
    known = time[np.isfinite(time)]
    if len(known) and (known % DAY != known[0] % DAY).any():
        yield "day"
    span = np.ptp(known) if len(known) else 0
    yield from (period for period, least in _RECURS.items() if span >= least)


def _start(name: str, times: Mapping[str, np.ndarray]) -> str | None:
    """Return the time that is nearest before this one in nearly all rows."""
    found = {}
    for other, time in times.items():
        between = times[name] - time
        known = between[np.isfinite(between)]
        if other == name or len(known) < max(_KNOWN * len(between), 1):
            continue
        if np.mean(known >= 0) >= _AFTER and np.mean(known > 0) >= _LATER:
            found[other] = np.median(known)
    return min(found, key=lambda other: (found[other], other), default=None)


def _microseconds(column: Typed) -> np.ndarray:
    """Return times as float64 [rows], NaN where missing."""
    array = column.column.array
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if column.kind == INT.name:
        unit = next(ticks for name, ticks in UNITS.items() if name in column.domain[0])
        values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64) * unit
    elif pa.types.is_string(array.type):
        values, are_times = read_texts(array, format_of(column.form))
        missing = missing | ~are_times
    else:
        stamps = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        values = stamps.fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(missing, np.nan, values.astype(np.float64))
