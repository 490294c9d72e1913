"""`power`: a number to the likeliest power of Yeo and Johnson, with mean 0 and variance 1.

Yeo and Johnson (2000), "A new family of power transformations to improve normality or symmetry".
Exponent, mean and deviation are those of quantiles rather than of all rows, so that one pass over
the rows suffices: a thousand values that stand for equally many rows each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.transform import distributions
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use
from schemas.treatments.power import Power

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_VALUES = 1_000  # that stand for all rows
_LARGEST = 5.0  # the exponents that are tried are within ± this
_STEPS = 20  # exponents of one search, the next of which is between two of them
_SEARCHES = 6  # until exponents are closer than 1e-5
_RESOLUTION = 1e-12  # a smaller deviation, as a share of the mean, is rounding


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Raise, standardize and clip numbers; missing is 0 and flagged."""
    return scaled(inputs, uses, _standardized)


def _standardized(value: tf.Tensor, options: list[Power]) -> tf.Tensor:
    found = distributions.learn(value, 2 * _VALUES, _figures, width=3)
    exponent, mean, deviation = tf.unstack(found, axis=1)
    clip = tf.constant([o.clip for o in options], tf.float64)
    return tf.clip_by_value((_raised(value, exponent) - mean) / deviation, -clip, clip)


def _raised(x: tf.Tensor, exponent: tf.Tensor) -> tf.Tensor:
    """Return the powers of x, float64 [rows, columns], as `powers` does."""
    log = tf.math.log1p(tf.abs(x))
    own = tf.where(x < 0, 2.0 - exponent, exponent)
    return tf.sign(x) * tf.where(tf.equal(own, 0), log, tf.math.expm1(own * log) / own)


def _figures(quantiles: np.ndarray) -> np.ndarray:
    """Return each column's exponent, mean and deviation of the powers, float64 [columns, 3]."""
    # Every other quantile is the middle of equally many rows.
    return np.stack([_figures_of(values) for values in quantiles[:, 1::2]])


def _figures_of(values: np.ndarray) -> tuple[float, float, float]:
    exponent = likeliest(values)
    raised = powers(values, exponent)
    apart = raised - raised[0]  # exactly 0 in a column of one value
    return exponent, raised[0] + apart.mean(), apart.std() or 1.0


def likeliest(values: np.ndarray) -> float:
    """Return the exponent whose powers of the values are most like a normal distribution.

    It is 1 for values that are all equal, and where there are none.
    """
    low, high, found = -_LARGEST, _LARGEST, 1.0
    for _ in range(_SEARCHES):
        tried = np.linspace(low, high, _STEPS + 1)
        likelihoods = [_likelihood(values, exponent) for exponent in tried]
        best = int(np.argmax(likelihoods))
        if likelihoods[best] == -np.inf:
            break
        found, low, high = tried[best], tried[max(best - 1, 0)], tried[min(best + 1, _STEPS)]
    return float(found)


def powers(x: np.ndarray, exponent: float) -> np.ndarray:
    """Return the powers of Yeo and Johnson: of a number from 0 up, ((x + 1)^e - 1) / e.

    A negative x has the exponent 2 - e, and the sign of x. For the exponent 0 it is log(1 + |x|).
    """
    log = np.log1p(np.abs(x))
    own = np.where(x < 0, 2 - exponent, exponent)
    curved = np.expm1(own * log) / np.where(own == 0, 1, own)
    return np.sign(x) * np.where(own == 0, log, curved)


def _likelihood(values: np.ndarray, exponent: float) -> float:
    """Return the log likelihood of an exponent a value, up to a constant."""
    raised = powers(values, exponent)
    with np.errstate(over="ignore"):
        deviation = raised.std()
    if not _RESOLUTION * abs(raised.mean()) < deviation < np.inf:
        return -np.inf
    jacobian = (exponent - 1) * (np.sign(values) * np.log1p(np.abs(values))).mean()
    return float(jacobian - np.log(deviation))
