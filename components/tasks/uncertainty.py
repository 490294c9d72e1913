"""How sure an answer is: the spread over a model's members, and conformal thresholds.

A conformal threshold is fitted to rows that the model did not learn from. Answers for further rows
like these are then right with at least the chosen probability, whatever the model is (Vovk et al.
2005; Lei et al. 2018, arXiv:1604.04173).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.tasks.protocol import RELATIVE, Tolerance
from schemas import signatures as names

if TYPE_CHECKING:
    from components.tasks.protocol import Tensors

# The spread is a difference of members that are nearly equal.
SPREAD = Tolerance(10 * RELATIVE, 2 * RELATIVE)


def spread_of(
    members: tf.Tensor,
    served: Callable[[tf.Tensor], tf.Tensor],
    score: Callable[[tf.Tensor], Tensors],
) -> tf.Tensor:
    """Return the standard deviation of the members' scores, [rows] or [rows, classes].

    Args:
      members: their logits, [rows, members, units].
      served: makes the logits that are served of the model's own.
      score: the answer of `raw_columns`.
    """
    count, units = members.shape[1:]
    flat = tf.reshape(members, [-1] if units == 1 else [-1, units])
    scores = score(served(flat))[names.SCORES]
    return tf.math.reduce_std(tf.reshape(scores, [-1, count, *scores.shape[1:]]), axis=1)


def conformal_threshold(misses: np.ndarray, weights: np.ndarray, coverage: float) -> float | None:
    """Return the threshold below which so large a share of new rows is; None if rows are too few.

    It is the (rows + 1) * coverage-th smallest value, rounded up, where all rows count the same.

    Args:
      misses: how wrong the answer is for each held-out row, [rows].
      weights: how much each row counts, [rows].
      coverage: the share of new rows, between 0 and 1.

    >>> conformal_threshold(np.arange(1.0, 10.0), np.ones(9), 0.8)
    8.0
    """
    order = np.argsort(misses, kind="stable")
    below = np.cumsum(weights[order])
    new = float(below[-1]) / len(misses)  # the row to answer counts as much as the mean one
    place = int(np.searchsorted(below, coverage * (below[-1] + new) * (1 - 1e-12)))
    found = float(misses[order][place]) if place < len(misses) else math.inf
    return None if math.isinf(found) else found
