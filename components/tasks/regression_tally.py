"""Sums from which the metrics of a number follow, kept for many groups at once.

A `RegressionTally` takes predictions, labels and the group of each row, a batch at a time. Its size
depends on the number of groups and not on the number of rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from components.tasks.intervals import Interval, of_mean
from components.tasks.probabilities import count, weighted
from components.tasks.protocol import Metrics

# Predictions are binned by the first 15 bits of their float32: the sign, the exponent, and 6 bits
# of the mantissa. Bins are narrow where predictions are small, at most 1/64 of a prediction wide.
BINS = 1 << 15
_SHIFT = 17
_TENTHS = 10

# The sums of a group, in the order of `RegressionTally.sums`.
_SUMS = (
    "weight",
    "prediction",
    "label",
    "label_squared",
    "squared_error",
    "absolute_error",
    "relative_error",
    "nonzero",
    "pinball",
    "deviance",
    "no_deviance",
    "fourth_error",
    "relative_squared",
    "pinball_squared",
)


class GradedNumbers(NamedTuple):
    """What each row adds to a tally, whatever its group.

    Attributes:
      terms: float64 [sums, rows], in the order of `RegressionTally.sums`.
      bin: index of the prediction's bin out of `BINS`, int64 [rows].
      keep: which of the given rows these are, bool.
      invalid: how many rows are left out: their prediction or label is not a finite number.
    """

    terms: np.ndarray
    bin: np.ndarray
    keep: np.ndarray
    invalid: int


def grade(predictions: np.ndarray, labels: np.ndarray, *, quantile: float) -> GradedNumbers:
    """Compute what rows add to a tally.

    Args:
      predictions: float32 [rows].
      labels: numbers [rows].
      quantile: the level of the pinball loss.
    """
    keep = np.isfinite(predictions) & np.isfinite(labels)
    p, y = predictions[keep].astype(np.float64), labels[keep].astype(np.float64)
    error = y - p
    nonzero = y != 0
    relative = np.abs(np.divide(error, y, out=np.zeros_like(y), where=nonzero))
    defined = (y >= 0) & (p > 0)
    # y log(y / p) is 0 where y is 0
    ratio = np.divide(y, p, out=np.ones_like(y), where=defined & (y > 0))
    deviance = np.where(defined, 2 * (y * np.log(ratio) - (y - p)), 0.0)
    pinball = np.maximum(quantile * error, (quantile - 1) * error)
    terms = np.stack(
        [
            np.ones_like(y),
            p,
            y,
            y**2,
            error**2,
            np.abs(error),
            relative,
            nonzero.astype(np.float64),
            pinball,
            deviance,
            (~defined).astype(np.float64),
            error**4,
            relative**2,
            pinball**2,
        ]
    )
    return GradedNumbers(terms, _bins(predictions[keep]), keep, int((~keep).sum()))


def terms_of(rows: GradedNumbers, objective: str) -> np.ndarray:
    """Return what each row adds to an objective, float64 [rows]."""
    sums = {"rmse": "squared_error", "poisson_deviance": "deviance"}
    return np.asarray(rows.terms[_SUMS.index(sums.get(objective, objective))])


def _bins(values: np.ndarray) -> np.ndarray:
    """Return the bin of each value: bits of a float32, once flipped, sort like the numbers."""
    bits = values.astype(np.float32).view(np.uint32)
    turned = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (turned >> _SHIFT).astype(np.int64)


@dataclass
class RegressionTally:
    """Sums over the rows of each group, each times its weight, if rows have weights.

    Attributes:
      rows: the number of rows, whatever their weights, int64 [groups].
      sums: float64 [sums, groups].
      bins: the first three of the sums (weights, predictions, labels) by bin, float64 [3, groups,
        BINS]; of no bins where the groups are many, and have no calibration error.
      invalid: rows left out, of all groups together.
    """

    rows: np.ndarray
    sums: np.ndarray
    bins: np.ndarray
    invalid: int = 0

    @classmethod
    def zeros(cls, groups: int, bins: int) -> RegressionTally:
        """Return the tally of no rows; `bins` is `BINS`, or 0."""
        return cls(
            np.zeros(groups, np.int64), np.zeros((len(_SUMS), groups)), np.zeros((3, groups, bins))
        )

    def add(
        self,
        rows: GradedNumbers,
        groups: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Add rows in place.

        Args:
          rows: from `grade`.
          groups: the group of each row that `grade` was given, int [rows]; None puts all in 0.
          weights: those of the same rows, float64 [rows]; None without weights.
        """
        group = np.zeros(len(rows.bin), np.int64) if groups is None else groups[rows.keep]
        every = weighted(rows.terms, None if weights is None else weights[rows.keep])
        count(self.rows, group)
        for sums, terms in zip(self.sums, every, strict=True):
            count(sums, group, terms)
        bins = self.bins.shape[2]
        if bins:
            cell = group * bins + rows.bin
            for sums, terms in zip(self.bins, every[:3], strict=True):
                count(sums, cell, terms)
        self.invalid += rows.invalid

    def merge(self, other: RegressionTally) -> None:
        """Add another tally of the same groups and bins in place."""
        self.rows += other.rows
        self.sums += other.sums
        self.bins += other.bins
        self.invalid += other.invalid


def metrics_of(tally: RegressionTally, group: int = 0) -> Metrics | None:
    """Return the figures of one group of a tally; None where no row of the group counts.

    Those with a title are described in `schemas.tasks.regression`. The others are: examples (rows,
    whatever their weights), mean_prediction, mean_label, and label_deviation, the labels' standard
    deviation.
    """
    sums = dict(zip(_SUMS, tally.sums[:, group], strict=True))
    total = sums["weight"]
    if not total:
        return None
    mean = sums["label"] / total
    variance = max(0.0, sums["label_squared"] / total - mean**2)
    squared = sums["squared_error"] / total
    return {
        "examples": int(tally.rows[group]),
        "mean_prediction": sums["prediction"] / total,
        "mean_label": mean,
        "label_deviation": math.sqrt(variance),
        "rmse": math.sqrt(squared),
        "mae": sums["absolute_error"] / total,
        "mape": sums["relative_error"] / sums["nonzero"] if sums["nonzero"] else None,
        "r2": 1 - squared / variance if variance > 0 else None,
        "pinball": sums["pinball"] / total,
        "poisson_deviance": None if sums["no_deviance"] else sums["deviance"] / total,
        "calibration_error": _calibration_error(*tally.bins[:, group]),
    }


def interval(tally: RegressionTally, metric: str, group: int = 0) -> Interval | None:
    """Return the 95 % interval of a metric of a group's rows; None where there is no formula."""
    sums, rows = dict(zip(_SUMS, tally.sums[:, group], strict=True)), int(tally.rows[group])
    if not sums["weight"]:
        return None
    squared = sums["squared_error"] / sums["weight"]
    if metric == "rmse":
        low, high = of_mean(squared, sums["fourth_error"] / sums["weight"], rows)
        return math.sqrt(low), math.sqrt(high)
    if metric == "mae":
        return of_mean(sums["absolute_error"] / sums["weight"], squared, rows)
    if metric == "pinball":
        mean, square = (sums[name] / sums["weight"] for name in ("pinball", "pinball_squared"))
        return of_mean(mean, square, rows)
    if metric == "mape" and sums["nonzero"]:
        names = ("relative_error", "relative_squared")
        mean, square = (sums[name] / sums["nonzero"] for name in names)
        return of_mean(mean, square, rows)
    return None


def constant_metrics(metrics: Metrics) -> Metrics:
    """Return the figures of predicting these rows' own mean for every row.

    A figure that does not follow from these sums is None.
    """
    mean, deviation = metrics["mean_label"], metrics["label_deviation"]
    return dict.fromkeys(metrics) | {
        "examples": metrics["examples"],
        "mean_prediction": mean,
        "mean_label": mean,
        "label_deviation": deviation,
        "rmse": deviation,
        "r2": 0.0 if deviation else None,
        "calibration_error": 0.0,
    }


def _calibration_error(
    rows: np.ndarray, predictions: np.ndarray, labels: np.ndarray
) -> float | None:
    """Return the mean distance between mean prediction and mean label, over tenths of the rows.

    A tenth ends at the bin in which it is full, so tenths are as equal as the bins permit.
    """
    total = rows.sum()
    if not total:
        return None
    filled = rows > 0
    rows, off = rows[filled], (predictions - labels)[filled]
    tenth = np.minimum(((np.cumsum(rows) - rows / 2) * _TENTHS / total).astype(int), _TENTHS - 1)
    return float(np.abs(np.bincount(tenth, off)).sum() / total)
