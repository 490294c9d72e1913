"""`elapsed`: the time since a date, or since another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.calendar import DAY, HOUR, MINUTE, SECOND, days_of
from components.column_tensors import numbers
from components.transform.constants import constants_by_column
from components.transform.scaling import flagged, standardized
from components.transform.treatments.protocol import Use
from schemas.columns import LARGEST_INTEGER
from schemas.layout import TransformedFeature
from schemas.treatments.elapsed import Elapsed

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

UNITS = {"seconds": SECOND, "minutes": MINUTE, "hours": HOUR, "days": DAY, "weeks": 7 * DAY}


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the time in units, scaled; missing is 0 and flagged."""
    options: list[Elapsed] = [use.options for use in uses]
    time = numbers([inputs[use.columns[0]] for use in uses])
    # A float64 has every time, so that the difference is rounded once.
    passed = time - _start(inputs, uses)
    units = tf.constant([UNITS[o.unit] for o in options], tf.float64)
    names = [use.options.outputs(use.columns, 0)[0].name for use in uses]
    flags = [f"{name}_missing" for name in names]
    return flagged(names, standardized(passed / units, options), flags, tf.math.is_nan(passed))


def _start(inputs: Inputs, uses: Sequence[Use]) -> tf.Tensor:
    """Return what each use counts from, float64 [1 or rows, uses]; NaN where missing."""
    dates = [use.options.since for use in uses]
    given = tf.constant(
        [[days_of(d.year, d.month, d.day) * DAY if d else 0 for d in dates]], tf.float64
    )
    if all(dates):
        return given
    others = numbers([inputs[use.columns[-1]] for use in uses])
    return tf.where(tf.constant([[d is not None for d in dates]]), given, others)


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, the dates that time is counted from."""
    constants = constants_by_column(graph, features)
    return {
        name: [each for each in own if each % DAY == 0 and abs(each) <= LARGEST_INTEGER]
        for name, own in constants.items()
    }
