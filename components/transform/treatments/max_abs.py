"""`max_abs`: a number as a share of the greatest absolute value in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from components.transform import distributions
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Divide by the greatest absolute value; missing is 0 and flagged."""
    return scaled(inputs, uses, _shares)


def _shares(value: tf.Tensor, _: list[Any]) -> tf.Tensor:
    greatest = distributions.learn(value, 1, _greatest, width=1)[:, 0]
    one = tf.ones([], tf.float64)
    return tf.clip_by_value(tf.math.divide_no_nan(value, greatest), -one, one)


def _greatest(extremes: np.ndarray) -> np.ndarray:
    return np.abs(extremes).max(axis=1, keepdims=True)
