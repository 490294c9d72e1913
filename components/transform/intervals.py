"""Numbers intervals: the part that `buckets`, `equal_width` and `quantile_buckets` share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def numbered(value: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Return the number of each value's interval, int64 [columns, rows], from 1; 0 for NaN.

    Args:
      value: float64 [rows, columns].
      ends: between two intervals, float64 [columns, any], ascending; infinity may fill up a row. An
        end belongs to the interval above it.
    """
    across = tf.transpose(value)
    # An infinite value is not beyond the infinity that fills up a row.
    within = tf.minimum(across, tf.float64.max)
    number = tf.searchsorted(ends, within, side="right", out_type=tf.int64) + 1
    return tf.where(tf.math.is_nan(across), tf.zeros([], tf.int64), number)


def padded(ends: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Return the ends of several columns as a matrix of this width, filled up with infinity."""
    return np.stack([np.pad(own, (0, width - len(own)), constant_values=np.inf) for own in ends])
