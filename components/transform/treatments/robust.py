"""`robust`: the distance of a number from the median, in interquartile ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform import distributions
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use
from schemas.treatments.robust import Robust

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_LARGE = 1e100  # more than any quotient of two float32 numbers, and its square is a float64


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Scale and clip numbers; missing is 0 and flagged."""
    return scaled(inputs, uses, _distances)


def _distances(value: tf.Tensor, options: list[Robust]) -> tf.Tensor:
    middle, factor = tf.unstack(distributions.learn(value, 4, _figures, width=2), axis=1)
    distance = tf.clip_by_value((value - middle) * factor, -_LARGE, _LARGE)
    clip = tf.constant([o.clip for o in options], tf.float64)
    return distance / tf.sqrt(1.0 + tf.square(distance / clip))


def _figures(quartiles: np.ndarray) -> np.ndarray:
    """Return each column's median and what its distances are multiplied by, [columns, 2]."""
    within = quartiles[:, 3] - quartiles[:, 1]
    scale = np.where(within > 0, within, (quartiles[:, 4] - quartiles[:, 0]) / 2)
    return np.stack([quartiles[:, 2], 1 / np.where(scale > 0, scale, np.inf)], axis=1)
