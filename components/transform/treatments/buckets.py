"""`buckets`: the interval between given numbers that a number is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers
from components.transform.constants import constants_by_column
from components.transform.intervals import numbered, padded
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.buckets import Buckets

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the intervals from 1; missing is 0."""
    options: dict[str, Buckets] = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in options)
    value = numbers([inputs[c] for c in columns])
    # A FLOAT is rounded to float32, so that what 0.7 is compared with must be rounded, too.
    ends = [
        np.asarray(options[c].at, np.float32 if inputs[c].dtype == tf.float32 else np.float64)
        for c in columns
    ]
    matrix = tf.constant(padded(ends, max(map(len, ends))), tf.float64)
    return by_name((f"{c}_buckets" for c in columns), numbered(value, matrix))


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which one of its intervals may end."""
    return constants_by_column(graph, features)
