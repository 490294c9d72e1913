"""What tallies of probabilities share: logit bins, calibration cells, and sums by an index."""

from __future__ import annotations

import numpy as np

_LOGIT_LIMIT = 16.0

# The reliability diagram's cells: 15 of equal width (Guo et al. 2017, arXiv:1706.04599).
CELLS = 15

# Scores of 0 and 1 are moved inwards by this much, as in scikit-learn's log_loss of float32.
EPSILON = float(np.finfo(np.float32).eps)


def logarithms(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of probabilities and of their complements, all of them finite."""
    inside = np.clip(p, EPSILON, 1 - EPSILON)
    return np.log(inside), np.log1p(-inside)


def logit_bins(log_p: np.ndarray, log_q: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each logit, int64: bins of equal width over ±16."""
    return ((log_p - log_q + _LOGIT_LIMIT) * (bins / (2 * _LOGIT_LIMIT))).astype(np.int64)


def bin_scores(bins: int, *, middle: bool = False) -> np.ndarray:
    """Return the least score of each bin of `logit_bins`, or that in its middle, float64 [bins].

    >>> bin_scores(4).round(4).tolist()
    [0.0, 0.0003, 0.5, 0.9997]
    """
    at = (np.arange(bins) + (0.5 if middle else 0.0)) / bins
    return np.asarray(1 / (1 + np.exp(-(2 * _LOGIT_LIMIT * at - _LOGIT_LIMIT))))


def calibration_cells(p: np.ndarray) -> np.ndarray:
    """Return the calibration cell of each probability, int64."""
    return np.minimum((p * CELLS).astype(np.int64), CELLS - 1)


def weighted(values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the values times the weights of their rows, if there are any; both [rows]."""
    return values if weights is None else values * weights


def count(sums: np.ndarray, index: np.ndarray, weights: np.ndarray | None = None) -> None:
    """Add each weight, or 1, at its index into the flattened sums, in place."""
    flat = None if weights is None else weights.ravel()
    counts = np.bincount(index.ravel(), flat, minlength=sums.size).reshape(sums.shape)
    sums += counts.astype(sums.dtype, copy=False)
