"""`z_score`: mean 0 and variance 1 over the training split."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import integers_first, numbers
from components.transform import distributions
from components.transform.scaling import flagged, standardized, with_all_digits
from components.transform.treatments.protocol import Use
from schemas.treatments.z_score import ZScore

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


_PARTS = 1_000  # quantiles between which others are interpolated


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Scale numbers; missing is 0 and flagged."""
    by_column: dict[str, ZScore] = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in by_column)
    options = [by_column[c] for c in columns]
    value = numbers([inputs[c] for c in columns])
    return flagged(
        [f"{c}_z_score" for c in columns],
        standardized(
            _clipped(value, options),
            options,
            centered=with_all_digits(inputs[c] for c in columns),
        ),
        [f"{c}_missing" for c in columns],
        tf.math.is_nan(value),
    )


def _clipped(value: tf.Tensor, options: Sequence[ZScore]) -> tf.Tensor:
    """Return float64 [rows, columns] between the ends of those columns that have any."""
    own = [i for i, o in enumerate(options) if o.clip_values or o.clip_quantiles]
    if not own:
        return value
    some = tf.gather(value, own, axis=1)
    figures = functools.partial(_ends, [options[i] for i in own])
    first, last = tf.unstack(distributions.learn(some, _PARTS, figures, width=2), axis=1)
    both = tf.concat([value, tf.minimum(tf.maximum(some, first), last)], axis=1)
    places = [len(options) + own.index(i) if i in own else i for i in range(len(options))]
    return tf.gather(both, places, axis=1)


def _ends(options: Sequence[ZScore], quantiles: np.ndarray) -> np.ndarray:
    """Return both ends of each column, float64 [columns, 2]."""
    shares = np.linspace(0, 1, quantiles.shape[1])
    return np.stack(
        [
            np.asarray(o.clip_values or np.interp(o.clip_quantiles, shares, own))
            for o, own in zip(options, quantiles, strict=True)
        ]
    )
