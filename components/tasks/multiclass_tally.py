"""Sums from which the metrics of several classes follow, kept for many groups at once.

A `MulticlassTally` takes probabilities, labels and the group of each row, a batch at a time. Its
size depends on the numbers of groups and classes and not on the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from components.tasks.binary_metrics import area_under_roc
from components.tasks.protocol import Metrics

# The probability of a class is binned by its logit, as that of a binary classifier is.
BINS = 1 << 12
_LOGIT_LIMIT = 16.0
CELLS = 15
_EPSILON = float(np.finfo(np.float32).eps)


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
    """Sums over the rows of each group; the arrays are None until the number of classes is known.

    Attributes:
      groups: how many there are.
      bins: of each class's logit; 0 where the groups are many, and have no AUC or calibration.
      confusion: rows by class and likeliest class, int64 [groups, classes, classes].
      top: rows whose class is one of the likeliest, by how many count as such, int64 [groups, TOP].
      loss: sum of the log-losses, float64 [groups].
      scores: rows by class, whether they are of it, and the bin of its logit, int64 [groups,
        classes, 2, bins].
      cells: the same by calibration cell, int64 [groups, classes, 2, CELLS].
      cell_scores: sum of the probabilities by class and cell, float64 [groups, classes, CELLS].
      invalid: rows left out, of all groups together.
    """

    groups: int
    bins: int
    top_of: int
    confusion: np.ndarray | None = None
    top: np.ndarray | None = None
    loss: np.ndarray | None = None
    scores: np.ndarray | None = None
    cells: np.ndarray | None = None
    cell_scores: np.ndarray | None = None
    invalid: int = 0

    def _open(self, classes: int) -> None:
        if self.confusion is None:
            self.confusion = np.zeros((self.groups, classes, classes), np.int64)
            self.top = np.zeros(self.groups, np.int64)
            self.loss = np.zeros(self.groups)
            cells = CELLS if self.bins else 0
            self.scores = np.zeros((self.groups, classes, 2, self.bins), np.int64)
            self.cells = np.zeros((self.groups, classes, 2, cells), np.int64)
            self.cell_scores = np.zeros((self.groups, classes, cells))

    def add(self, rows: GradedClasses, groups: np.ndarray | None = None) -> None:
        """Add rows in place.

        Args:
          rows: from `grade`.
          groups: the group of each row that `grade` was given, int [rows]; None puts all in 0.
        """
        p, label = rows.probabilities, rows.label
        classes = p.shape[1]
        self._open(classes)
        group = np.zeros_like(label) if groups is None else groups[rows.keep]
        own = p[np.arange(len(p)), label]
        _count(self.confusion, (group * classes + label) * classes + p.argmax(axis=1))
        _count(self.top, group, (p > own[:, np.newaxis]).sum(axis=1) < self.top_of)
        _count(self.loss, group, -np.log(np.clip(own, _EPSILON, 1.0)))
        if self.bins:
            column = group[:, np.newaxis] * classes + np.arange(classes)
            of_it = column * 2 + (label[:, np.newaxis] == np.arange(classes))
            inside = np.clip(p, _EPSILON, 1 - _EPSILON)
            logit = np.log(inside) - np.log1p(-inside)
            place = ((logit + _LOGIT_LIMIT) * (self.bins / (2 * _LOGIT_LIMIT))).astype(np.int64)
            cell = np.minimum((p * CELLS).astype(np.int64), CELLS - 1)
            _count(self.scores, of_it * self.bins + place)
            _count(self.cells, of_it * CELLS + cell)
            _count(self.cell_scores, column * CELLS + cell, p)
        self.invalid += rows.invalid

    def merge(self, other: MulticlassTally) -> None:
        """Add another tally of the same groups and bins in place."""
        if other.confusion is not None:
            self._open(other.confusion.shape[1])
            for name in ("confusion", "top", "loss", "scores", "cells", "cell_scores"):
                mine = getattr(self, name)
                mine += getattr(other, name)
        self.invalid += other.invalid


def _count(sums: np.ndarray | None, index: np.ndarray, weights: np.ndarray | None = None) -> None:
    """Add each row's weight, or 1, at its index into the flattened sums, in place."""
    assert sums is not None  # allocated before
    flat = None if weights is None else weights.ravel()
    counts = np.bincount(index.ravel(), flat, minlength=sums.size).reshape(sums.shape)
    sums += counts.astype(sums.dtype)


def metrics_of(tally: MulticlassTally, group: int = 0) -> Metrics | None:
    """Return the figures of one group of a tally; None where the group has no rows.

    Those with a title are described in `schemas.tasks.multiclass`. The others are `examples` (rows)
    and `confusion`, rows by class and likeliest class in the order of the classes.
    """
    if tally.confusion is None or not tally.confusion[group].any():
        return None
    assert tally.top is not None
    assert tally.loss is not None
    confusion = tally.confusion[group]
    rows, right = confusion.sum(axis=1), np.diag(confusion)
    examples = int(rows.sum())
    f1 = 2 * right / np.maximum(rows + confusion.sum(axis=0), 1)
    present = rows > 0
    return {
        "examples": examples,
        "accuracy": float(right.sum()) / examples,
        "top_3_accuracy": float(tally.top[group]) / examples,
        "macro_f1": float(f1[present].mean()),
        "weighted_f1": float((f1 * rows).sum()) / examples,
        "log_loss": float(tally.loss[group]) / examples,
        "macro_auc": _macro_auc(tally, group),
        "calibration_error": _calibration_error(tally, group, examples),
        "confusion": confusion.tolist(),
    }


def _macro_auc(tally: MulticlassTally, group: int) -> float | None:
    if not tally.bins:
        return None
    assert tally.scores is not None
    areas = [area_under_roc(*of_class)[0] for of_class in tally.scores[group]]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def _calibration_error(tally: MulticlassTally, group: int, examples: int) -> float | None:
    if not tally.bins:
        return None
    assert tally.cells is not None
    assert tally.cell_scores is not None
    off = np.abs(tally.cell_scores[group] - tally.cells[group, :, 1]).sum(axis=1) / examples
    return float(off.mean())


def constant_metrics(metrics: Metrics, top_of: int) -> Metrics:
    """Return the figures of predicting, for every row, the rows' own shares of the classes.

    Its log-loss, the entropy of the labels, is the least that any constant can reach here.
    """
    rows = np.array(metrics["confusion"]).sum(axis=1)
    share = rows / rows.sum()
    likeliest = int(share.argmax())
    f1 = 2 * share[likeliest] / (share[likeliest] + 1)
    confusion = np.zeros((len(rows), len(rows)), np.int64)
    confusion[:, likeliest] = rows
    known = share[share > 0]
    return {
        "examples": metrics["examples"],
        "accuracy": float(share[likeliest]),
        "top_3_accuracy": float(np.sort(share)[-top_of:].sum()),
        "macro_f1": float(f1 / len(known)),
        "weighted_f1": float(f1 * share[likeliest]),
        "log_loss": float(-(known * np.log(known)).sum()),
        "macro_auc": 0.5 if len(known) > 1 else None,
        "calibration_error": 0.0,
        "confusion": confusion.tolist(),
    }
