"""Holds metrics against thresholds: every reason not to bless a model, or none.

A model is blessed exactly when there is no reason against it.
"""

from __future__ import annotations

from typing import Literal

from components.evaluate.metrics import Metrics
from schemas.spec import Bound, Strict, Thresholds

BOUNDED = ("auc", "pr_auc", "log_loss", "accuracy", "calibration_error")
_LOWER_IS_BETTER = ("log_loss", "calibration_error")

Reference = Literal["base_rate", "logistic", "last_blessed"]


class Reason(Strict):
    """Why a model is not blessed.

    Attributes:
      metric: the metric that is out of bounds.
      value: the model's; None where the metric does not exist on these rows.
      bound: the least or most permitted; None where the model is held against another.
      against: the model it is held against, if any.
      reference: that model's value of the metric.
      permitted_loss: how much worse than `reference` the value may be.
      text: all of this in a sentence.
    """

    metric: str
    value: float | None
    bound: float | None = None
    against: Reference | None = None
    reference: float | None = None
    permitted_loss: float | None = None
    text: str


def judge(
    model: Metrics,
    thresholds: Thresholds,
    *,
    base_rate: Metrics,
    logistic: Metrics,
    last_blessed: Metrics | None,
) -> tuple[Reason, ...]:
    """Return every reason not to bless the model, in the order of the thresholds.

    Args:
      model: the model's metrics on the test split.
      thresholds: what is permitted.
      base_rate: the constant predictor's metrics on the same rows.
      logistic: the logistic model's.
      last_blessed: the last blessed model's; None if there is none to compare with.
    """
    reasons: list[Reason] = []
    for metric in BOUNDED:
        bound = getattr(thresholds, metric)
        reasons += _outside(metric, getattr(model, metric), bound)
        if last_blessed is not None:
            reasons += _worse(metric, getattr(model, metric), getattr(last_blessed, metric), bound)
    if thresholds.beats_baseline:
        reasons += _unbeaten(model, base_rate, "base_rate", "predicting the base rate")
        reasons += _unbeaten(model, logistic, "logistic", "the logistic model")
    return tuple(reasons)


def _outside(metric: str, value: float | None, bound: Bound) -> list[Reason]:
    """The metric is under `min` or over `max`, or asked for and undefined."""
    if value is None:
        if bound == Bound():
            return []
        text = f"{metric} does not exist here: the test split holds labels of one class only"
        return [Reason(metric=metric, value=None, text=text)]
    reasons = []
    if bound.min is not None and value < bound.min:
        text = f"{metric} {value:.6g} is below the least permitted, {bound.min:g}"
        reasons.append(Reason(metric=metric, value=value, bound=bound.min, text=text))
    if bound.max is not None and value > bound.max:
        text = f"{metric} {value:.6g} is above the most permitted, {bound.max:g}"
        reasons.append(Reason(metric=metric, value=value, bound=bound.max, text=text))
    return reasons


def _worse(metric: str, value: float | None, reference: float | None, bound: Bound) -> list[Reason]:
    """The metric is worse than the last blessed model's by more than `max_loss`."""
    if value is None or reference is None or bound.max_loss is None:
        return []
    loss = value - reference if metric in _LOWER_IS_BETTER else reference - value
    if loss <= bound.max_loss:
        return []
    return [
        Reason(
            metric=metric,
            value=value,
            against="last_blessed",
            reference=reference,
            permitted_loss=bound.max_loss,
            text=f"{metric} {value:.6g} is {loss:.6g} worse than the last blessed model's"
            f" {reference:.6g}; {bound.max_loss:g} is permitted",
        )
    ]


def _unbeaten(model: Metrics, other: Metrics, against: Reference, name: str) -> list[Reason]:
    """The model's log-loss is not under a baseline's."""
    if model.log_loss < other.log_loss:
        return []
    return [
        Reason(
            metric="log_loss",
            value=model.log_loss,
            against=against,
            reference=other.log_loss,
            text=f"log_loss {model.log_loss:.6g} does not beat {name}, {other.log_loss:.6g}",
        )
    ]
