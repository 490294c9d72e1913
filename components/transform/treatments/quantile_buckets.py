"""`quantile_buckets`: the interval between training quantiles that a number is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers
from components.transform import distributions
from components.transform.constants import constants_by_column
from components.transform.intervals import numbered
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.quantile_buckets import QuantileBuckets

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the intervals from 1; missing is 0."""
    options: dict[str, QuantileBuckets] = {use.column: use.options for use in uses}
    out: dict[str, tf.Tensor] = {}
    for count in sorted({o.buckets for o in options.values()}):
        alike = [c for c, o in options.items() if o.buckets == count]
        columns = integers_first((name, inputs[name]) for name in alike)
        value = numbers([inputs[c] for c in columns])
        ends = distributions.learn(value, count, _between, width=count - 1, error=0.01 / count)
        out |= by_name((f"{c}_bucket" for c in columns), numbered(value, ends))
    return out


def _between(quantiles: np.ndarray) -> np.ndarray:
    """Return the quantiles without the extremes; they are 0 in a column without values."""
    return np.nan_to_num(quantiles[:, 1:-1])


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which one of its buckets may end."""
    return constants_by_column(graph, features)
