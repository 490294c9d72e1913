"""`elapsed`: the time since a date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.calendar import DAY, HOUR, MINUTE, SECOND, days_of
from components.transform.scaling import scaled, standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.elapsed import Elapsed

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

UNITS = {"seconds": SECOND, "minutes": MINUTE, "hours": HOUR, "days": DAY, "weeks": 7 * DAY}


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return the time in units, scaled; missing is 0 and flagged."""
    return scaled(inputs, uses, _since)


def _since(time: tf.Tensor, options: list[Elapsed]) -> tf.Tensor:
    begins = [days_of(o.since.year, o.since.month, o.since.day) * DAY for o in options]
    units = [UNITS[o.unit] for o in options]
    passed = (time - tf.constant(begins, tf.float64)) / tf.constant(units, tf.float64)
    return standardized(passed, options)
