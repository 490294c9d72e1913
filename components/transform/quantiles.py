"""Quantiles with boundaries in float64.

The function takes a matrix of numbers and returns the boundaries of each column's buckets over the
training split. `tft.quantiles` does the same with boundaries rounded to float32, in which Unix
seconds less than a minute apart are equal.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow_transform import analyzers


def quantiles(x: tf.Tensor, weights: tf.Tensor, num_buckets: int, epsilon: float) -> tf.Tensor:
    """Return the boundaries between buckets, float64 [columns, num_buckets - 1].

    Args:
      x: float64 [rows, columns]; NaN is left out.
      weights: float32 [rows].
      num_buckets: the number of parts of about equal weight that each column is cut into.
      epsilon: the error that a boundary's rank may have, as a share of all rows.
    """
    columns = x.shape[1]
    combiner = analyzers.QuantilesCombiner(
        num_buckets,
        epsilon,
        np.float64,
        has_weights=True,
        output_shape=[columns, num_buckets - 1],
        feature_shape=[columns],
    )
    with tf.compat.v1.name_scope(None, "quantiles"):  # analyzers need different names
        # TFT runs its own combiners in this way: all of a graph in one pass, and cacheable.
        (boundaries,) = analyzers._apply_cacheable_combiner(combiner, x, weights)
    return boundaries
