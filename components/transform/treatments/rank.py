"""`rank`: the share of training rows below a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform import distributions
from components.transform.constants import constants_by_column
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.rank import Rank

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_PARTS = 1_000  # ranks between two quantiles are interpolated
_LEAST = 1e-7  # share in a normal distribution, as in scikit-learn: 5.2 deviations from the mean


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Rank numbers; missing is 0 and flagged."""
    return scaled(inputs, uses, _ranked)


def _ranked(value: tf.Tensor, options: list[Rank]) -> tf.Tensor:
    quantiles = distributions.learn(value, _PARTS, _all, width=_PARTS + 1)
    share = tf.transpose(_shares(tf.transpose(value), quantiles))
    normal = [o.to == "normal" for o in options]
    if not any(normal):
        return share
    deviations = tf.math.ndtri(tf.clip_by_value(share, _LEAST, 1 - _LEAST))
    return tf.where(tf.constant(normal), deviations, share)


def _shares(value: tf.Tensor, quantiles: tf.Tensor) -> tf.Tensor:
    """Return the shares of rows below values, float64 [columns, rows]."""
    within = tf.minimum(tf.maximum(value, quantiles[:, :1]), quantiles[:, -1:])
    # The quantiles from `below` up to `above`, without the latter, are equal to the value.
    below, above = (
        tf.searchsorted(quantiles, within, side=side, out_type=tf.int64)
        for side in ("left", "right")
    )
    left = tf.clip_by_value(below - 1, 0, _PARTS - 1)
    first, last = (tf.gather(quantiles, left + step, batch_dims=1) for step in (0, 1))
    between = tf.cast(left, tf.float64) + tf.math.divide_no_nan(within - first, last - first)
    middle = tf.cast(below + above - 1, tf.float64) / 2
    share = tf.where(above > below, middle, between) / _PARTS
    return tf.where(tf.math.is_nan(within), within, share)


def _all(quantiles: np.ndarray) -> np.ndarray:
    return quantiles


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[float]]:
    """Return, by column, numbers at which its rank may jump."""
    return constants_by_column(graph, features)
