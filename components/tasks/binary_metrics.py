"""From the sums of a tally to a binary classifier's metrics, each as its textbook defines it.

AUC and average precision are computed from a histogram of scores. So is the most by which each can
differ from the exact value, without any assumption about the scores.
"""

from __future__ import annotations

import math

import numpy as np

from components.tasks.binary_tally import BinaryTally
from components.tasks.intervals import Interval, of_area, of_mean
from components.tasks.probabilities import bin_scores
from components.tasks.protocol import Metrics
from components.tasks.reliability import wilson


def metrics_of(tally: BinaryTally, group: int = 0) -> Metrics | None:
    """Return the figures of one group of a tally; None where no row of the group counts.

    Those with a title are described in `schemas.tasks.binary`. The others are:

    - examples, positives: rows, and rows with label 1, whatever their weights;
    - mean_score: mean predicted probability;
    - calibration_ratio: mean_score / base_rate; None without positives;
    - auc_error, pr_auc_error: the most by which the exact value can differ.
    """
    negatives, positives = (n.item() for n in tally.counts[group].sum(axis=1))
    total = negatives + positives
    if not total:
        return None
    score_sums = tally.cell_scores[group]
    base_rate = positives / total
    mean_score = float(score_sums.sum()) / total
    auc, auc_error = area_under_roc(*tally.counts[group])
    pr_auc, pr_auc_error = average_precision(*tally.counts[group])
    middle = tally.counts.shape[2] // 2  # a logit of 0, a score of 0.5, begins this bin
    right = tally.counts[group, 0, :middle].sum() + tally.counts[group, 1, middle:].sum()
    return {
        "examples": int(tally.rows[group].sum()),
        "positives": int(tally.rows[group, 1]),
        "base_rate": base_rate,
        "mean_score": mean_score,
        "calibration_ratio": mean_score / base_rate if positives else None,
        "auc": auc,
        "auc_error": auc_error,
        "pr_auc": pr_auc,
        "pr_auc_error": pr_auc_error,
        "log_loss": float(tally.loss[group]) / total,
        "accuracy": right.item() / total,
        "calibration_error": float(np.abs(score_sums - tally.cells[group, 1]).sum()) / total,
    }


def interval(tally: BinaryTally, metric: str, group: int = 0) -> Interval | None:
    """Return the 95 % interval of a metric of a group's rows; None where there is no formula."""
    figures = metrics_of(tally, group)
    if figures is None or figures[metric] is None:
        return None
    value, rows, positives = figures[metric], figures["examples"], figures["positives"]
    if metric == "accuracy":
        return wilson(value, rows)
    if metric == "auc":
        return of_area(value, positives, rows - positives) if 0 < positives < rows else None
    if metric != "log_loss":
        return None
    counts = tally.counts[group]
    scores = bin_scores(counts.shape[1], middle=True)
    squares = np.log([1 - scores, scores]) ** 2  # of the losses, by label
    return of_mean(value, float((counts * squares).sum() / counts.sum()), rows)


def constant_metrics(examples: int, positives: int, rate: float | None = None) -> Metrics:
    """Return the figures of predicting these rows' own base rate for every row.

    Its log-loss, the entropy of the labels, is the least that any constant can reach here.

    Args:
      examples: rows.
      positives: rows with label 1.
      rate: their share by the weights of the rows; None if all count the same.
    """
    rate = positives / examples if rate is None else rate
    both = 0 < rate < 1
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate)) if both else 0.0
    return {
        "examples": examples,
        "positives": positives,
        "base_rate": rate,
        "mean_score": rate,
        "calibration_ratio": 1.0 if rate else None,
        "auc": 0.5 if both else None,
        "auc_error": 0.0 if both else None,
        "pr_auc": rate if both else None,
        "pr_auc_error": 0.0 if both else None,
        "log_loss": entropy,
        "accuracy": rate if rate >= 0.5 else 1 - rate,
        "calibration_error": 0.0,
    }


def area_under_roc(
    negatives: np.ndarray, positives: np.ndarray
) -> tuple[float | None, float | None]:
    """Return the area under the ROC curve and the most that the exact one can differ.

    The area is the chance that a positive scores above a negative (Hanley & McNeil 1982). Pairs in
    different bins are counted exactly; pairs in one bin count half, which is right for ties and
    off by at most half otherwise.

    Args:
      negatives: negatives by rising score bin, int or the sum of their weights [bins].
      positives: the same of positives.

    Returns:
      (area, error), or (None, None) where one class is absent.
    """
    pairs = float(negatives.sum()) * float(positives.sum())
    if not pairs:
        return None, None
    within = float((positives.astype(np.float64) * negatives).sum())
    below = (np.cumsum(negatives) - negatives).astype(np.float64)
    return (float((positives * below).sum()) + within / 2) / pairs, within / 2 / pairs


def average_precision(
    negatives: np.ndarray, positives: np.ndarray
) -> tuple[float | None, float | None]:
    """Return the average precision with a threshold a bin, and the most the exact one can differ.

    Wherever a threshold falls inside a bin of p positives and n negatives, the precision there is
    lowest after all n and 1 of p, highest after all p and none of n. Of weights, the first positive
    may be as light as can be.

    Args:
      negatives: negatives by rising score bin, int or the sum of their weights [bins].
      positives: the same of positives.

    Returns:
      (average precision, error), or (None, None) where one class is absent.
    """
    total = positives.sum().item()
    lightest = 1 if positives.dtype.kind == "i" else np.finfo(np.float64).tiny
    if not total or not negatives.any():
        return None, None
    found, wrong = np.cumsum(positives[::-1]), np.cumsum(negatives[::-1])
    filled = positives[::-1] > 0  # elsewhere recall does not change
    inside = positives[::-1][filled]
    found, wrong = found[filled], wrong[filled]
    precision = found / (found + wrong)
    highest = found / (found + wrong - negatives[::-1][filled])
    first = found - inside + lightest
    lowest = first / (first + wrong)
    gap = np.maximum(highest - precision, precision - lowest)
    return float((inside * precision).sum()) / total, float((inside * gap).sum()) / total
