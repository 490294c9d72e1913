"""Sums from which the metrics of several classes follow, kept for many groups at once.

A `MulticlassTally` takes probabilities, labels and the group of each row, a batch at a time. Its
size depends on the numbers of groups and classes and not on the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from components.tasks.binary_metrics import area_under_roc
from components.tasks.intervals import Interval, of_mean
from components.tasks.probabilities import (
    CELLS,
    EPSILON,
    calibration_cells,
    count,
    logarithms,
    logit_bins,
    weighted,
)
from components.tasks.protocol import Metrics
from components.tasks.reliability import wilson

# The probability of a class is binned by its logit, as that of a binary classifier is.
BINS = 1 << 12


class GradedClasses(NamedTuple):
    """What each row adds to a tally, whatever its group.

    Attributes:
      probabilities: float64 [rows, classes].
      label: the number of the row's class, int64 [rows].
      keep: which of the given rows these are, bool.
      invalid: how many rows are left out: their probabilities are not valid, or their label has no
        class.
    """

    probabilities: np.ndarray
    label: np.ndarray
    keep: np.ndarray
    invalid: int


def grade(probabilities: np.ndarray, labels: np.ndarray) -> GradedClasses:
    """Return the rows that count.

    Args:
      probabilities: float32 [rows, classes].
      labels: the number of each row's class, int64 [rows].
    """
    classes = probabilities.shape[1]
    # A comparison with NaN is false, so NaN is invalid too.
    possible = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    keep = possible & (labels >= 0) & (labels < classes)
    return GradedClasses(
        probabilities[keep].astype(np.float64), labels[keep], keep, int((~keep).sum())
    )


@dataclass
class MulticlassTally:
    """Sums over the rows of each group, or of their weights, if they have any.

    Attributes:
      groups: how many there are.
      bins: of each class's logit; 0 where the groups are many, and have no AUC or calibration.
      top_of: how many of the likeliest classes count as the top.
      weights: whether rows have weights; sums of rows are then float64 instead of int64.
      sums: by name, none until the number of classes is known:

        - rows: rows by class and likeliest class, whatever their weights, int64 [groups, classes,
          classes];
        - confusion: the same by weights, if rows have any, [groups, classes, classes];
        - top: rows whose class is in the top, [groups];
        - loss: sum of the log-losses, float64 [groups];
        - loss_squared: sum of their squares, float64 [groups];
        - scores: rows by class, whether they are of it, and the bin of its logit, [groups, classes,
          2, bins];
        - cells: the same by calibration cell, [groups, classes, 2, CELLS];
        - cell_scores: sum of the probabilities by class and cell, float64 [groups, classes, CELLS].
      invalid: rows left out, of all groups together.
    """

    groups: int
    bins: int
    top_of: int
    weights: bool = False
    sums: dict[str, np.ndarray] = field(default_factory=dict)
    invalid: int = 0

    def _opened(self, classes: int) -> dict[str, np.ndarray]:
        """Return the sums, which are made for the first rows."""
        if not self.sums:
            cells = CELLS if self.bins else 0
            counted = np.float64 if self.weights else np.int64
            self.sums = {
                "rows": np.zeros((self.groups, classes, classes), np.int64),
                "confusion": np.zeros((self.groups, classes, classes), counted),
                "top": np.zeros(self.groups, counted),
                "loss": np.zeros(self.groups),
                "loss_squared": np.zeros(self.groups),
                "scores": np.zeros((self.groups, classes, 2, self.bins), counted),
                "cells": np.zeros((self.groups, classes, 2, cells), counted),
                "cell_scores": np.zeros((self.groups, classes, cells)),
            }
        return self.sums

    def add(
        self,
        rows: GradedClasses,
        groups: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Add rows in place.

        Args:
          rows: from `grade`.
          groups: the group of each row that `grade` was given, int [rows]; None puts all in 0.
          weights: those of the same rows, float64 [rows]; None without weights.
        """
        p, label = rows.probabilities, rows.label
        classes = p.shape[1]
        sums = self._opened(classes)
        group = np.zeros_like(label) if groups is None else groups[rows.keep]
        own = p[np.arange(len(p)), label]
        weight = None if weights is None else weights[rows.keep]
        answered = (group * classes + label) * classes + p.argmax(axis=1)
        in_top = (p > own[:, np.newaxis]).sum(axis=1) < self.top_of
        count(sums["rows"], answered)
        count(sums["confusion"], answered, weight)
        count(sums["top"], group, weighted(in_top, weight))
        loss = -np.log(np.clip(own, EPSILON, 1.0))
        count(sums["loss"], group, weighted(loss, weight))
        count(sums["loss_squared"], group, weighted(loss**2, weight))
        if self.bins:
            column = group[:, np.newaxis] * classes + np.arange(classes)
            of_it = column * 2 + (label[:, np.newaxis] == np.arange(classes))
            cell = calibration_cells(p)
            each = None if weight is None else np.repeat(weight, classes)
            count(sums["scores"], of_it * self.bins + logit_bins(*logarithms(p), self.bins), each)
            count(sums["cells"], of_it * CELLS + cell, each)
            count(sums["cell_scores"], column * CELLS + cell, weighted(p.ravel(), each))
        self.invalid += rows.invalid

    def merge(self, other: MulticlassTally) -> None:
        """Add another tally of the same groups and bins in place."""
        if other.sums:
            sums = self._opened(other.sums["confusion"].shape[1])
            for name, more in other.sums.items():
                sums[name] += more
        self.invalid += other.invalid


def metrics_of(tally: MulticlassTally, group: int = 0) -> Metrics | None:
    """Return the figures of one group of a tally; None where no row of the group counts.

    Those with a title are described in `schemas.tasks.multiclass`. The others are `examples`
    (rows), `confusion`, rows by class and likeliest class in the order of the classes, and, if rows
    have weights, `weighted_confusion`, the sums of the weights of these rows.
    """
    sums = {name: of_groups[group] for name, of_groups in tally.sums.items()}
    if not sums or not sums["confusion"].any():
        return None
    confusion = sums["confusion"]
    rows, right = confusion.sum(axis=1), np.diag(confusion)
    total = rows.sum().item()
    both = rows + confusion.sum(axis=0)
    f1 = 2 * right / np.where(both > 0, both, 1)
    present = rows > 0
    top = f"top_{tally.top_of}_accuracy"
    return {
        "examples": int(sums["rows"].sum()),
        "accuracy": float(right.sum()) / total,
        top: float(sums["top"]) / total if tally.top_of < len(confusion) else None,
        "macro_f1": float(f1[present].mean()),
        "weighted_f1": float((f1 * rows).sum()) / total,
        "log_loss": float(sums["loss"]) / total,
        "macro_auc": _macro_auc(sums["scores"]) if tally.bins else None,
        "calibration_error": _calibration_error(sums, total) if tally.bins else None,
        "confusion": sums["rows"].tolist(),
    } | ({"weighted_confusion": confusion.tolist()} if tally.weights else {})


def interval(tally: MulticlassTally, metric: str, group: int = 0) -> Interval | None:
    """Return the 95 % interval of a metric of a group's rows; None where there is no formula."""
    figures = metrics_of(tally, group)
    if figures is None or figures.get(metric) is None:
        return None
    value, rows = figures[metric], figures["examples"]
    if metric in ("accuracy", f"top_{tally.top_of}_accuracy"):
        return wilson(value, rows)
    if metric != "log_loss":
        return None
    total = tally.sums["confusion"][group].sum()
    return of_mean(value, float(tally.sums["loss_squared"][group] / total), rows)


def _macro_auc(scores: np.ndarray) -> float | None:
    areas = [area_under_roc(*of_class)[0] for of_class in scores]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def _calibration_error(sums: Mapping[str, np.ndarray], total: float) -> float:
    off = np.abs(sums["cell_scores"] - sums["cells"][:, 1]).sum(axis=1) / total
    return float(off.mean())


def constant_metrics(metrics: Metrics, top_of: int) -> Metrics:
    """Return the figures of predicting, for every row, the rows' own shares of the classes.

    Its log-loss, the entropy of the labels, is the least that any constant can reach here.
    """
    of_classes = {
        name: np.array(metrics[name]).sum(axis=1)
        for name in ("confusion", "weighted_confusion")
        if name in metrics
    }
    rows = of_classes.get("weighted_confusion", of_classes["confusion"])
    share = rows / rows.sum()
    likeliest = int(share.argmax())
    f1 = 2 * share[likeliest] / (share[likeliest] + 1)
    known = share[share > 0]
    top = f"top_{top_of}_accuracy"
    return {
        "examples": metrics["examples"],
        "accuracy": float(share[likeliest]),
        top: float(np.sort(share)[-top_of:].sum()) if top_of < len(share) else None,
        "macro_f1": float(f1 / len(known)),
        "weighted_f1": float(f1 * share[likeliest]),
        "log_loss": float(-(known * np.log(known)).sum()),
        "macro_auc": 0.5 if len(known) > 1 else None,
        "calibration_error": 0.0,
    } | {name: _all_in_one(each, likeliest).tolist() for name, each in of_classes.items()}


def _all_in_one(rows: np.ndarray, likeliest: int) -> np.ndarray:
    """Return the confusion of always answering with one class."""
    confusion = np.zeros((len(rows), len(rows)), rows.dtype)
    confusion[:, likeliest] = rows
    return confusion
