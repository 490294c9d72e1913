"""`buckets`: the interval between given numbers, or learned ones, that a number is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers
from components.transform import target_edges
from components.transform.constants import constants_by_column
from components.transform.intervals import numbered, padded
from components.transform.treatments.protocol import Target, Use
from schemas.layout import TransformedFeature
from schemas.treatments.buckets import Buckets

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use], *target: Target) -> Tensors:
    """Number the intervals from 1; missing is 0."""
    options: dict[str, Buckets] = {use.column: use.options for use in uses}
    out: dict[str, tf.Tensor] = {}
    for by_label in sorted({o.takes_label for o in options.values()}):
        alike = [c for c, o in options.items() if o.takes_label == by_label]
        columns = integers_first((name, inputs[name]) for name in alike)
        value = numbers([inputs[c] for c in columns])
        own = [options[c] for c in columns]
        if by_label:
            ends = target_edges.learn(value, own, *target).between
        else:
            ends = _given(own, [inputs[c].dtype for c in columns])
        out |= by_name((f"{c}_buckets" for c in columns), numbered(value, ends))
    return out


def _given(options: Sequence[Buckets], dtypes: Sequence[tf.DType]) -> tf.Tensor:
    # A FLOAT is rounded to float32, so that what 0.7 is compared with must be rounded, too.
    ends = [
        np.asarray(o.at, np.float32 if dtype == tf.float32 else np.float64)
        for o, dtype in zip(options, dtypes, strict=True)
    ]
    return tf.constant(padded(ends, max(map(len, ends))), tf.float64)


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which one of its intervals may end."""
    return constants_by_column(graph, features)
