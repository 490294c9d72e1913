"""A sample of scored rows → intervals of the metrics of all models, by the bootstrap.

Rows are drawn with replacement (Efron & Tibshirani 1993, chapter 13), the same ones for all models,
so that the intervals of differences are paired. Where the sample has fewer rows than there are, the
intervals are narrowed by the square root of its share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from components.evaluate.sample import ScoredSample
from components.tasks.intervals import Interval
from components.tasks.protocol import Metrics, work_of
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

REPLICATES = 200
_AT_ONCE = 100_000  # rows that are graded together
_ENDS = (2.5, 97.5)


class MetricIntervals(Strict):
    """The 95 % intervals of a model's metrics.

    Attributes:
      metrics: by metric.
      gains: by metric, of the first model's value less this model's; none of the first model.
    """

    metrics: dict[str, Interval]
    gains: dict[str, Interval] = Field(default_factory=dict)


def intervals(
    task: TaskOptions, sample: ScoredSample | None, models: Sequence[Metrics | None]
) -> tuple[MetricIntervals, ...]:
    """Return the intervals of each model.

    Args:
      task: what is predicted.
      sample: of the rows; None without rows.
      models: the models' metrics on all rows, in the order of the sample's scores.
    """
    if sample is None or models[0] is None:
        return tuple(MetricIntervals(metrics={}) for _ in models)
    names = [m.name for m in task.judged(models[0]) if models[0].get(m.name) is not None]
    values = [_values(task, sample, i, names) for i in range(len(models))]
    narrowed = math.sqrt(len(sample.label) / max(sample.seen, 1))
    found = []
    for figures, drawn in zip(models, values, strict=True):
        if figures is None:
            found.append(MetricIntervals(metrics={}))
            continue
        own = _ends(names, drawn, figures, narrowed)
        first = models[0]
        gains = {
            name: first[name] - figures[name]
            for name in names
            if drawn is not values[0] and figures.get(name) is not None
        }
        found.append(
            MetricIntervals(metrics=own, gains=_ends(names, values[0] - drawn, gains, narrowed))
        )
    return tuple(found)


def _ends(
    names: Sequence[str], drawn: np.ndarray, centres: Mapping[str, float | None], narrowed: float
) -> dict[str, Interval]:
    """Return an interval around each centre; there is none of metrics without values."""
    found = {}
    for name, (own, *others) in zip(names, drawn.T, strict=True):
        centre = centres.get(name)
        if centre is None or math.isnan(own) or np.isnan(others).any():
            continue
        low, high = (centre + (end - own) * narrowed for end in np.percentile(others, _ENDS))
        found[name] = (float(low), float(high))
    return found


def _values(
    task: TaskOptions, sample: ScoredSample, model: int, names: Sequence[str]
) -> np.ndarray:
    """Return the metrics of the sample, and of each replicate, float64 [1 + replicates, metrics].

    A metric that a replicate does not have, such as the AUC of rows of one class, is NaN.
    """
    work, rows = work_of(task.task), len(sample.label)
    chance = np.random.default_rng(0)  # the same rows for all models
    drawn = chance.integers(rows, size=(REPLICATES, rows))
    places = np.concatenate([np.arange(rows)[np.newaxis], drawn])
    at_once = max(1, _AT_ONCE // rows)
    found: list[list[float]] = []
    for start in range(0, len(places), at_once):
        part = places[start : start + at_once]
        place, group = part.ravel(), np.repeat(np.arange(len(part)), rows)
        tally = work.tally(task, len(part), coarse=True)
        graded = work.grade(sample.scores[model][place], sample.label[place], task)
        weights = sample.weights[place] if task.weight is not None else None
        tally.add(graded, group, weights)
        for i in range(len(part)):
            metrics = work.metrics(tally, i) or {}
            found.append([_number(metrics.get(name)) for name in names])
    return np.array(found)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
