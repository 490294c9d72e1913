"""`z_score`: mean 0 and variance 1 over the training split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import integers_first, numbers
from components.transform.scaling import flagged, standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.z_score import ZScore

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Scale numbers; missing is 0 and flagged."""
    options: dict[str, ZScore] = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in options)
    value = numbers([inputs[c] for c in columns])
    return flagged(
        [f"{c}_z_score" for c in columns],
        standardized(value, [options[c] for c in columns]),
        [f"{c}_missing" for c in columns],
        tf.math.is_nan(value),
    )
