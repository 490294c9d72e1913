"""Logits and labels of the eval split → the method that calibrates them best, by cross-validation.

A method is chosen only where its log-loss on rows that it was not fitted to is less than that of no
calibration by more than noise: two standard errors of the mean difference over the rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from components.calibrate.fit import fit
from components.tasks.calibration import Calibrator, calibrate
from schemas.calibration import OF_PROBABILITIES
from schemas.strict import Strict

NONE = "none"
_PARTS = 5
_BEYOND_NOISE = 2.0  # standard errors


class Candidate(Strict):
    """How a method did on rows that it was not fitted to.

    Attributes:
      method: its name.
      log_loss: the mean over the rows.
      gain: by how much that is less than without calibration.
      error: standard error of `gain`.
    """

    method: str
    log_loss: float
    gain: float = 0.0
    error: float = 0.0

    @property
    def helps(self) -> bool:
        """Whether the gain is beyond noise."""
        return self.gain > _BEYOND_NOISE * self.error


def candidates(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[Candidate, ...]:
    """Return how every method does, that of no calibration first; arguments as in `fit`."""
    plain = losses(logits, labels)
    found = [Candidate(method=NONE, log_loss=_mean(plain, weights))]
    for method in OF_PROBABILITIES:
        own = losses(held_out(method, logits, labels, weights), labels)
        gains = plain - own
        found.append(
            Candidate(
                method=method,
                log_loss=_mean(own, weights),
                gain=_mean(gains, weights),
                error=_error(gains, weights),
            )
        )
    return tuple(found)


def best(measured: tuple[Candidate, ...]) -> str:
    """Return the method with the greatest gain beyond noise; of equal ones, the simplest."""
    helping = [each for each in measured if each.helps]
    return max(helping, key=lambda each: each.gain).method if helping else NONE


def held_out(
    method: str, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return calibrated logits of each row, by a fit to the other four fifths of the rows."""
    if method == NONE:
        return logits
    calibrated = np.empty_like(logits)
    for part, others in _parts(len(labels)):
        fitted = fit(method, logits[others], labels[others], weights[others])
        calibrated[part] = apply(fitted, logits[part])
    return calibrated


def apply(calibrator: Calibrator, logits: np.ndarray) -> np.ndarray:
    """Return calibrated logits, computed as in the graph but in float64."""
    return np.asarray(calibrate(tf.constant(logits), calibrator))


def losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the log-loss of each row in nats."""
    if logits.ndim == 1:
        return np.asarray(np.logaddexp(0, np.where(labels == 1, -logits, logits)))
    top = logits.max(axis=1, keepdims=True)
    whole = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return np.asarray(whole - logits[np.arange(len(labels)), labels])


def _parts(rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each fifth of the rows and the others; examples are in a shuffled order."""
    part_of = np.arange(rows) % _PARTS
    for part in range(_PARTS):
        yield part_of == part, part_of != part


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(values @ weights / weights.sum())


def _error(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the standard error of a weighted mean."""
    distance = values - _mean(values, weights)
    return float(np.sqrt(weights**2 @ distance**2) / weights.sum())
