"""`regression`: a number; the logit is its distance from the mean, in standard deviations.

With `log1p` this applies to log(1 + y), and with `poisson` the logit is the logarithm of the mean.
With `interval` there are three logits: the mean's, and those of the two quantiles in either order.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from components.column_tensors import numbers
from components.tasks.learned import CONFORMAL
from components.tasks.protocol import LOGIT, RELATIVE, Decision, Head, Metrics, RowLosses, Tolerance
from components.tasks.regression_tally import (
    BINS,
    GradedNumbers,
    RegressionTally,
    constant_metrics,
    interval,
    terms_of,
)
from components.tasks.regression_tally import grade as _grade
from components.tasks.regression_tally import metrics_of as metrics
from schemas import signatures as names
from schemas.errors import DataError
from schemas.tasks.regression import Regression, RegressionExport

if TYPE_CHECKING:
    from components.tasks.protocol import HeldOut, Labels, Tensors

__all__ = [
    "VALID",
    "answers",
    "constant",
    "covered",
    "decisions",
    "grade",
    "head",
    "interval",
    "label",
    "losses",
    "metrics",
    "misses",
    "quantile_shift",
    "tally",
    "tolerances",
]

VALID = "finite predictions and labels"


def label(inputs: Tensors, options: Regression) -> tf.Tensor:
    """Return the number, float32 [rows]."""
    return tf.cast(numbers([inputs[options.column]])[:, 0], tf.float32)


def head(
    labels: Iterable[Labels], options: Regression, learned: Mapping[str, Any], *, where: str
) -> Head:
    """Return a head of one logit that starts at the mean of the training labels."""
    rows, count, total, squared, least = 0, 0.0, 0.0, 0.0, math.inf
    for part, weights in labels:
        values = _target(part.astype(np.float64), options)
        rows += np.count_nonzero(weights)
        count += float(weights.sum())
        total += float((values * weights).sum())
        squared += float((values**2 * weights).sum())
        least = min(least, float(part.min(initial=math.inf)))
    if least < 0 and (options.log1p or options.poisson):
        raise DataError(
            f"the label {options.name!r} is negative in some training rows, down to {least:g}",
            where=where,
            expected=f"no negative numbers with label.{'log1p' if options.log1p else 'poisson'}",
            remedy="drop that option, or correct the rows",
        )
    mean = total / count if count else 0.0
    scale = math.sqrt(max(0.0, squared / count - mean**2)) if count else 0.0
    if not scale > 1e-12 * max(1.0, abs(mean)):
        raise DataError(
            f"the label {options.name!r} is the same number in all {rows:,} training rows"
            f"{options.counted}",
            where=where,
            expected="rows with different numbers",
            remedy="check `label` in pipeline.yaml against the data",
        )
    measured = {"mean": mean, "scale": scale}
    if options.poisson:
        return Head((math.log(mean),), _Loss(options, measured), "identity", measured)
    start = [0.0, *map(statistics.NormalDist().inv_cdf, options.interval or ())]
    return Head(tuple(start), _Loss(options, measured), "identity", measured)


def _target(values: Any, options: Regression) -> Any:
    return np.log1p(np.maximum(values, 0.0)) if options.log1p else values


class _Loss(keras.losses.Loss):
    """The loss of the options, of labels in their own unit [rows, 1] and logits [rows, 1 or 3]."""

    def __init__(self, options: Regression, measured: Mapping[str, float]) -> None:
        super().__init__(name="regression")
        self._options = options
        self._mean, self._scale = measured["mean"], measured["scale"]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row."""
        ops, options = keras.ops, self._options
        if options.poisson:
            return ops.mean(ops.exp(y_pred) - y_true * y_pred, axis=-1)
        target = ops.log1p(y_true) if options.log1p else y_true
        error = (target - self._mean) / self._scale - y_pred
        if options.quantile is not None:
            return _pinball(error[:, 0], options.quantile)
        loss = ops.square(error[:, 0])
        for i, level in enumerate(options.interval or (), start=1):
            loss += _pinball(error[:, i], level)
        return loss


def _pinball(error: Any, level: float) -> Any:
    return keras.ops.maximum(level * error, (level - 1) * error)


def answers(
    options: Regression, export: RegressionExport, learned: Mapping[str, Any]
) -> dict[str, Callable[[tf.Tensor], Tensors]]:
    """Return, by signature, the prediction in the label's unit, computed from logits.

    These are [rows], or [rows, 3] with an interval.
    """

    def mean(logits: tf.Tensor) -> tf.Tensor:
        return logits if options.interval is None else logits[:, 0]

    def prediction(logits: tf.Tensor) -> tf.Tensor:
        if options.poisson:
            value = tf.exp(logits)
        else:
            value = learned["mean"] + learned["scale"] * logits
            value = tf.math.expm1(value) if options.log1p else value
        return value if options.clip is None else tf.clip_by_value(value, *options.clip)

    reach = learned.get(CONFORMAL) if export.coverage is not None else None

    def predict(logits: tf.Tensor) -> Tensors:
        answer = {names.PREDICTION: prediction(mean(logits))}
        if reach is not None:
            lower, upper = _ends(logits, options)
            middle = (lower + upper) / 2  # of an interval that a reach below 0 would turn around
            answer |= {
                names.LOWER: prediction(tf.minimum(lower - reach, middle)),
                names.UPPER: prediction(tf.maximum(upper + reach, middle)),
            }
        return answer

    return {
        names.RAW_COLUMNS: lambda logits: {names.SCORES: prediction(mean(logits))},
        names.PREDICT: predict,
        names.REGRESSION: lambda logits: {names.OUTPUTS: prediction(mean(logits))},
    }


def tolerances(options: Regression, learned: Mapping[str, Any]) -> Mapping[str, Tolerance]:
    """Return how far the rounding of a logit moves the prediction."""
    mean, scale = learned["mean"], learned["scale"]
    if options.poisson or options.log1p:
        # An exponential turns a distance into a ratio.
        near = Tolerance(RELATIVE * (1 + abs(mean) + scale), LOGIT.absolute)
    else:
        near = Tolerance(RELATIVE, RELATIVE * (abs(mean) + scale))
    outputs = (
        names.SCORES,
        names.PREDICTION,
        names.OUTPUTS,
        names.BASELINE_SCORES,
        names.UNCALIBRATED_SCORES,
        names.LOWER,
        names.UPPER,
    )
    spread = Tolerance(10 * near.relative, 2 * near.absolute)
    return {**dict.fromkeys(outputs, near), names.SPREAD: spread}


def misses(rows: HeldOut, options: Regression, learned: Mapping[str, Any]) -> np.ndarray:
    """Return how far the label of each held-out row is beyond its interval, in logits.

    That is less than 0 inside. Without quantiles, an interval is its prediction alone.
    """
    target = (_target(rows.labels, options) - learned["mean"]) / learned["scale"]
    lower, upper = _ends(tf.constant(rows.logits), options)
    return np.maximum(np.asarray(lower) - target, target - np.asarray(upper))


def _ends(logits: tf.Tensor, options: Regression) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the lower and the upper quantile, [rows]; both are the prediction without any."""
    if options.interval is None:
        return logits, logits
    return tf.reduce_min(logits[:, 1:], axis=1), tf.reduce_max(logits[:, 1:], axis=1)


def covered(answer: Tensors, label: tf.Tensor) -> tf.Tensor:
    """Return whether labels are in the intervals of the answers of `predict`, bool [rows]."""
    return tf.logical_and(answer[names.LOWER] <= label, label <= answer[names.UPPER])


def quantile_shift(rows: HeldOut, options: Regression, learned: Mapping[str, Any]) -> float:
    """Return what logits have to be raised by to be the quantile of held-out labels.

    That is the smallest shift with which at least `label.quantile` of the rows are not above their
    prediction.
    """
    target = (_target(rows.labels, options) - learned["mean"]) / learned["scale"]
    missing = target - rows.logits
    order = np.argsort(missing, kind="stable")
    below = np.cumsum(rows.weights[order])
    level = 0.5 if options.quantile is None else options.quantile
    reached = int(np.searchsorted(below, level * below[-1] * (1 - 1e-12)))
    return float(missing[order][reached])


def decisions(
    options: Regression, export: RegressionExport, learned: Mapping[str, Any]
) -> dict[str, Decision]:
    """Return nothing: no output follows from another one."""
    return {}


def grade(scores: np.ndarray, labels: np.ndarray, options: Regression) -> GradedNumbers:
    """Compute what rows add to a tally."""
    return _grade(scores, labels, quantile=0.5 if options.quantile is None else options.quantile)


def losses(scores: np.ndarray, labels: np.ndarray, options: Regression) -> RowLosses:
    """Return what each row adds to the objective."""
    terms = np.full(len(labels), np.nan)
    rows = grade(scores, labels, options)
    terms[rows.keep] = terms_of(rows, options.objective)
    return RowLosses(options.objective, terms, root=options.objective == "rmse")


def tally(options: Regression, groups: int, *, coarse: bool = False) -> RegressionTally:
    """Return the tally of no rows."""
    return RegressionTally.zeros(groups, 0 if coarse else BINS)


def constant(metrics: Metrics, options: Regression) -> Metrics:
    """Return the figures of predicting the rows' own mean."""
    return constant_metrics(metrics)
