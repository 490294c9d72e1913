"""Sums of standardized columns with weights: the part that `pca` and `random_projection` share.

The sums are exact: numbers and weights are rounded so that no sum of their products needs more
digits than a float64 has. So a row has the same features in a batch of any size, and what is
learned from sums does not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import integers_first, numbers, rounded
from components.transform import scaling
from components.transform.treatments.protocol import Use
from schemas.treatments.options import Projection

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs

_DIGITS = 53  # binary ones of a float64
_OWN = 24  # of a number's, as a float32 has; the rest are the weights' and those of the sum


def standardized(inputs: Inputs, use: Use) -> tf.Tensor:
    """Return a use's columns with mean 0 and variance 1, float64 [rows, columns]; 0 if missing.

    They are clipped, and in the order of the use.
    """
    options: Projection = use.options
    names = integers_first((name, inputs[name]) for name in use.columns)
    columns = [inputs[name] for name in names]
    scaled = scaling.standardized(
        numbers(columns), [options] * len(columns), centered=scaling.with_all_digits(columns)
    )
    known = tf.where(tf.math.is_nan(scaled), tf.zeros([], tf.float64), scaled)
    order = [names.index(name) for name in use.columns]
    return cut(tf.gather(known, order, axis=1), options.clip, _OWN)


def projected(x: tf.Tensor, weights: tf.Tensor, limit: float) -> tf.Tensor:
    """Return the sums, float32 [rows, components].

    Args:
      x: of `standardized`, or less a mean of it, float64 [rows, columns].
      weights: float64 [columns, components].
      limit: a bound on the absolute value of weights.
    """
    digits = _DIGITS - _OWN - 1 - (x.shape[1] - 1).bit_length()
    return rounded(tf.matmul(x, cut(weights, limit, digits)))


def cut(x: tf.Tensor, limit: float, digits: int) -> tf.Tensor:
    """Return x within ± limit with so many binary digits below the highest one of the limit.

    >>> cut(tf.constant([0.7, -3.2], tf.float64), 4, 3).numpy().tolist()
    [0.5, -3.0]
    """
    unit = 2.0 ** (np.ceil(np.log2(limit)) - digits)
    return tf.round(x / unit) * unit


def by_number(use: Use, sums: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return a use's sums by the names of its features."""
    parts: Sequence[tf.Tensor] = tf.unstack(sums, use.options.components, axis=1)
    return {f"{use.options.stem}_{i}": part for i, part in enumerate(parts, 1)}
