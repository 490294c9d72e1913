"""Times in UTC to the time on the clocks of a zone, in the graph, by the rules of tzdata.

The rules cover every time that examples hold, 1684 to 2255: before a zone's first rule its local
mean time counts, and its last rule goes on for good.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
import tensorflow as tf
import tzdata

from components.calendar import DAY, SECOND, days_of
from schemas.zones import UTC

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = DAY // SECOND  # in seconds
# In seconds since 1970: no zone has a rule before 1845.
_FIRST, _LAST = (days_of(year, 1, 1) * _DAY for year in (1845, 2256))
_STEP = 3 * _DAY  # the least time between changes of a zone is just under 7 days


def to_local(time: tf.Tensor, zones: Sequence[str]) -> tf.Tensor:
    """Return the time on the clocks of each column's zone.

    Args:
      time: microseconds since 1970 in UTC, int64 [columns, rows].
      zones: the name of each column's zone.

    Returns:
      Microseconds since 1970 as if the clocks showed UTC, int64 [columns, rows].
    """
    if all(zone == UTC for zone in zones):
        return time
    changes, offsets = zip(*(_rules(zone) for zone in zones), strict=True)
    width = max(1, *map(len, changes))
    # Later than any time: columns with fewer changes never come to these.
    ends = [np.pad(c, (0, width - len(c)), constant_values=np.iinfo(np.int64).max) for c in changes]
    after = [np.pad(o, (0, width + 1 - len(o)), mode="edge") for o in offsets]
    number = tf.searchsorted(tf.constant(np.stack(ends)), time, side="right")
    return time + tf.gather(tf.constant(np.stack(after)), number, batch_dims=1)


@functools.lru_cache(maxsize=64)
def _rules(zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Return when the clocks of a zone change, and their offsets before each change and at the end.

    Both are in microseconds, int64; there is one offset more.
    """
    rules = _read(zone)
    seconds = range(_FIRST, _LAST, _STEP)
    offsets = [_offset(rules, second) for second in seconds]
    changes, kept = [], offsets[:1]
    for second, before, after in zip(seconds, offsets, offsets[1:], strict=False):
        if before != after:
            changes.append(_first_with(rules, after, second, second + _STEP))
            kept.append(after)
    return np.array(changes, np.int64) * SECOND, np.array(kept, np.int64) * SECOND


def _read(zone: str) -> ZoneInfo:
    # Not by its name, which reads the system's database where there is one.
    path = resources.files(tzdata).joinpath("zoneinfo", *zone.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


def _offset(rules: ZoneInfo, second: int) -> int:
    at = (_EPOCH + timedelta(seconds=second)).astimezone(rules)
    return int((at.utcoffset() or timedelta()).total_seconds())


def _first_with(rules: ZoneInfo, offset: int, before: int, after: int) -> int:
    """Return the first second with this offset; `before` has another one, and `after` has it."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(rules, middle) == offset:
            after = middle
        else:
            before = middle
    return after
