"""Logits of a model → calibrated logits, in the graph.

The functions take logits and the parameters that the calibrate stage fitted, and return logits of
the same shape, so that every answer is computed from calibrated ones. Parameters are rows of
numbers, one row a class; a single logit, and a temperature, have one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import tensorflow as tf

from components.tasks.correction import correct
from components.tasks.learned import CALIBRATION
from schemas.strict import Strict

Rows = tuple[tuple[float, ...], ...]


class Calibrator(Strict):
    """A fitted function of logits.

    Attributes:
      kind: `line`, a z + b; `beta`, a log p - b log(1 - p) + c; or `table`, linear between points
        (z, z') and constant beyond the outer ones.
      rows: the parameters a, b and c, or the points' z followed by their z'; a row for each class
        if the function is one of each class against the others.
    """

    kind: Literal["line", "beta", "table"]
    rows: Rows

    @property
    def steepest(self) -> float:
        """The most by which a small change of a logit grows."""
        if self.kind == "line":
            return max(abs(row[0]) for row in self.rows)
        if self.kind == "beta":
            return max(max(row[:2]) for row in self.rows)
        return max(map(_steepest, self.rows))


def _steepest(row: tuple[float, ...]) -> float:
    points = len(row) // 2
    x, y = row[:points], row[points:]
    slopes = ((y[i] - y[i - 1]) / (x[i] - x[i - 1]) for i in range(1, points) if x[i] > x[i - 1])
    return max(slopes, default=0.0)


def calibrator_of(learned: Mapping[str, Any]) -> Calibrator | None:
    """Return what the calibrate stage fitted, if it did."""
    found = learned.get(CALIBRATION)
    return None if found is None else Calibrator.model_validate(found)


def served_logits(learned: Mapping[str, Any]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return what makes the logits that are served of the model's own.

    They are corrected for a sample of classes first, and calibrated then: the calibration is fitted
    to rows of which no sample was taken.
    """
    calibrator = calibrator_of(learned)

    def served(logits: tf.Tensor) -> tf.Tensor:
        corrected = correct(logits, learned)
        return corrected if calibrator is None else calibrate(corrected, calibrator)

    return served


def growth(learned: Mapping[str, Any]) -> float:
    """Return the factor by which calibration widens the rounding of logits; at least 1."""
    calibrator = calibrator_of(learned)
    return 1.0 if calibrator is None else max(1.0, calibrator.steepest)


def calibrate(logits: tf.Tensor, calibrator: Calibrator) -> tf.Tensor:
    """Return calibrated logits, [rows] or [rows, classes] as they are given.

    Of several rows of parameters, each gives the probability of its class against all others, and
    these are divided by their sum, as scikit-learn's `CalibratedClassifierCV` does.
    """
    function = _FUNCTIONS[calibrator.kind]
    parameters = tf.constant(calibrator.rows, logits.dtype)
    if logits.shape.rank == 1:
        return function(logits[:, tf.newaxis], parameters)[:, 0]
    if len(calibrator.rows) == 1:
        return function(logits, parameters)
    return tf.math.log_sigmoid(function(against_the_others(logits), parameters))


def against_the_others(logits: tf.Tensor) -> tf.Tensor:
    """Return the log-odds of each class against all others, [rows, classes].

    1 - p of the likeliest class would lose the digits of a small difference, so the others are
    added up for it.
    """
    first = tf.argmax(logits, axis=1)
    likeliest = tf.one_hot(first, logits.shape[1], on_value=True, off_value=False)
    others = tf.where(likeliest, tf.constant(-float("inf"), logits.dtype), logits)
    of_first = logits - tf.reduce_logsumexp(others, axis=1, keepdims=True)
    log_p = tf.nn.log_softmax(logits)
    log_p = tf.where(likeliest, tf.constant(-1.0, logits.dtype), log_p)  # no logarithm of 0 below
    return tf.where(likeliest, of_first, log_p - tf.math.log1p(-tf.exp(log_p)))


def _line(z: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
    slope, shift = tf.unstack(parameters, axis=1)
    return z * slope + shift


def _beta(z: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
    a, b, c = tf.unstack(parameters, axis=1)
    return a * tf.math.log_sigmoid(z) - b * tf.math.log_sigmoid(-z) + c


def _table(z: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
    x, y = tf.split(parameters, 2, axis=1)
    inside = tf.clip_by_value(tf.transpose(z), x[:, :1], x[:, -1:])
    upper = tf.searchsorted(x, inside, side="right")
    upper = tf.clip_by_value(upper, 1, tf.shape(x)[1] - 1)
    x0, x1 = (tf.gather(x, i, batch_dims=1) for i in (upper - 1, upper))
    y0, y1 = (tf.gather(y, i, batch_dims=1) for i in (upper - 1, upper))
    share = tf.math.divide_no_nan(inside - x0, x1 - x0)
    return tf.transpose(y0 + share * (y1 - y0))


_FUNCTIONS = {"line": _line, "beta": _beta, "table": _table}
