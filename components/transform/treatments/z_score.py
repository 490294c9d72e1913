"""`z_score`: mean 0 and variance 1 over the training split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import by_name, integers_first, numbers, rounded
from components.transform.treatments.protocol import Use
from schemas.treatments.z_score import ZScore

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Scale numbers; missing is 0 and flagged."""
    options: dict[str, ZScore] = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in options)
    value = _tamed(numbers([inputs[c] for c in columns]), [options[c].log1p for c in columns])
    missing = tf.math.is_nan(value)
    # The analyzer leaves NaN and infinite values out of mean and variance.
    scaled = tft.scale_to_z_score(value, elementwise=True)
    clip = tf.constant([[options[c].clip for c in columns]], tf.float64)
    clipped = tf.clip_by_value(scaled, -clip, clip)
    # NaN means that the value is missing here, or in all training rows, so that there is no mean.
    known = tf.where(tf.math.is_nan(clipped), tf.zeros([], tf.float64), clipped)
    return {
        **by_name((f"{c}_z_score" for c in columns), rounded(known), axis=1),
        **by_name((f"{c}_missing" for c in columns), tf.cast(missing, tf.float32), axis=1),
    }


def _tamed(value: tf.Tensor, log1p: Sequence[bool]) -> tf.Tensor:
    """Return sign(x) log(1 + |x|) of the columns [rows, columns] with the option `log1p`."""
    if not any(log1p):
        return value
    tamed = tf.sign(value) * tf.math.log1p(tf.abs(value))
    return tf.where(tf.constant([list(log1p)]), tamed, value)
