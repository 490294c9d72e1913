"""`min_max`: the place of a number between the ends of the training values."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform import distributions
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use
from schemas.treatments.min_max import MinMax

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_PARTS = 1_000  # quantiles between which others are interpolated


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Map the ends to those of `range`; missing is 0 and flagged."""
    return scaled(inputs, uses, _between_ends)


def _between_ends(value: tf.Tensor, options: list[MinMax]) -> tf.Tensor:
    parts = 1 if all(o.quantiles == (0, 1) for o in options) else _PARTS
    ends = distributions.learn(value, parts, functools.partial(_ends, options), width=2)
    first, last = ends[:, 0], ends[:, 1]
    within = tf.minimum(tf.maximum(value, first), last)
    share = tf.math.divide_no_nan(within - first, last - first)
    low, high = tf.unstack(tf.constant([o.range for o in options], tf.float64), axis=1)
    return low + share * (high - low)


def _ends(options: Sequence[MinMax], quantiles: np.ndarray) -> np.ndarray:
    """Return both ends of each column, float64 [columns, 2]."""
    shares = np.linspace(0, 1, quantiles.shape[1])
    return np.stack(
        [
            np.interp(o.quantiles, shares, own) if o.values is None else np.asarray(o.values)
            for o, own in zip(options, quantiles, strict=True)
        ]
    )
