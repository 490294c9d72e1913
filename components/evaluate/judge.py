"""Compares metrics with thresholds: every reason not to bless a model, or none.

A model is blessed exactly when there is no reason against it.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.tasks.protocol import Metrics
from schemas.strict import Strict
from schemas.tasks.options import Baseline, Bound, Metric, TaskOptions, ThresholdOptions

LAST_BLESSED = "last_blessed"


class Reason(Strict):
    """Why a model is not blessed.

    Attributes:
      metric: the metric that is out of bounds.
      value: the model's; None where the metric does not exist on these rows.
      bound: the least or most permitted; None where the model is compared with another.
      against: the model that it is compared with, if any: a baseline's name or "last_blessed".
      reference: that model's value of the metric.
      permitted_loss: how much worse than `reference` the value may be.
      text: all of this in a sentence.
    """

    metric: str
    value: float | None
    bound: float | None = None
    against: str | None = None
    reference: float | None = None
    permitted_loss: float | None = None
    text: str


def judge(
    model: Metrics,
    thresholds: ThresholdOptions,
    *,
    task: TaskOptions,
    baselines: Mapping[str, Metrics],
    last_blessed: Metrics | None,
) -> tuple[Reason, ...]:
    """Return every reason not to bless the model, in the order of the metrics.

    Args:
      model: the model's metrics on the test split.
      thresholds: what is permitted.
      task: what is predicted; it defines the metrics, and the one by which models are compared.
      baselines: the metrics of the task's baselines on the same rows, by name.
      last_blessed: the last blessed model's; None if there is none to compare with.
    """
    reasons: list[Reason] = []
    for metric in task.judged(model):
        bound = thresholds.bound(metric.name)
        reasons += _outside(metric, model[metric.name], bound)
        if last_blessed is not None:
            reasons += _worse(metric, model[metric.name], last_blessed.get(metric.name), bound)
    for baseline in _beaten(thresholds, task):
        reasons += _unbeaten(task.metric(task.objective), model, baselines[baseline.name], baseline)
    return tuple(reasons)


def _beaten(thresholds: ThresholdOptions, task: TaskOptions) -> tuple[Baseline, ...]:
    """Return the baselines that the model has to beat."""
    if thresholds.beats_baseline == "constant":
        return task.BASELINES[:1]
    return task.BASELINES if thresholds.beats_baseline else ()


def _outside(metric: Metric, value: float | None, bound: Bound) -> list[Reason]:
    """The metric is below `min` or above `max`, or it has a bound and is undefined."""
    name = metric.name
    if value is None:
        if bound == Bound():
            return []
        text = f"{name} does not exist here: {metric.undefined}"
        return [Reason(metric=name, value=None, text=text)]
    reasons = []
    if bound.min is not None and value < bound.min:
        text = f"{name} {value:.6g} is below the least permitted, {bound.min:g}"
        reasons.append(Reason(metric=name, value=value, bound=bound.min, text=text))
    if bound.max is not None and value > bound.max:
        text = f"{name} {value:.6g} is above the most permitted, {bound.max:g}"
        reasons.append(Reason(metric=name, value=value, bound=bound.max, text=text))
    return reasons


def _worse(
    metric: Metric, value: float | None, reference: float | None, bound: Bound
) -> list[Reason]:
    """The metric is worse than the last blessed model's by more than `max_loss`."""
    if value is None or reference is None or bound.max_loss is None:
        return []
    loss = metric.loss(value) - metric.loss(reference)
    if loss <= bound.max_loss:
        return []
    return [
        Reason(
            metric=metric.name,
            value=value,
            against=LAST_BLESSED,
            reference=reference,
            permitted_loss=bound.max_loss,
            text=f"{metric.name} {value:.6g} is {loss:.6g} worse than the last blessed model's"
            f" {reference:.6g}; {bound.max_loss:g} is permitted",
        )
    ]


def _unbeaten(
    objective: Metric, model: Metrics, other: Metrics, baseline: Baseline
) -> list[Reason]:
    """The model's objective is not better than a baseline's."""
    name = objective.name
    value, reference = model[name], other[name]
    if value is None or reference is None:
        return []
    if objective.loss(value) < objective.loss(reference):
        return []
    return [
        Reason(
            metric=name,
            value=value,
            against=baseline.name,
            reference=reference,
            text=f"{name} {value:.6g} does not beat {baseline.phrase}, {reference:.6g}",
        )
    ]
