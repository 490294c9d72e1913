"""Counts of scores by bin → curves of at most 200 points, as numbers to draw."""

from __future__ import annotations

import numpy as np

from components.tasks.probabilities import bin_scores
from schemas.strict import Strict

POINTS = 200
CELLS = 40  # of a histogram of scores


class Curve(Strict):
    """What each of some thresholds finds of a class: enough for ROC, precision, recall and costs.

    Attributes:
      index: the number of the class.
      positives: the rows of the class, or their weight.
      negatives: the others.
      thresholds: scores, falling; a row is found from there on.
      true: rows of the class that each threshold finds, or their weight.
      false: other rows that it finds.
    """

    index: int
    positives: float
    negatives: float
    thresholds: tuple[float, ...]
    true: tuple[float, ...]
    false: tuple[float, ...]


class ScoreHistogram(Strict):
    """How the scores of a class spread over cells of equal width from 0 to 1.

    Attributes:
      index: the number of the class.
      edges: of the cells, [cells + 1].
      yes: rows of the class by cell, or their weight, [cells].
      no: the same of other rows.
    """

    index: int
    edges: tuple[float, ...]
    yes: tuple[float, ...]
    no: tuple[float, ...]


def curve(negatives: np.ndarray, positives: np.ndarray, index: int, points: int = POINTS) -> Curve:
    """Return the curve of a class at thresholds that are evenly spread over both kinds of rows.

    Args:
      negatives: other rows by rising bin of the score, or the sum of their weights, [bins].
      positives: the same of rows of the class.
      index: the number of the class.
      points: how many thresholds there are at most.
    """
    found, wrong = np.cumsum(positives[::-1]), np.cumsum(negatives[::-1])
    places = np.unique(np.concatenate([_spread(found, points), _spread(wrong, points)]))
    thresholds = bin_scores(len(positives))[::-1][places]
    return Curve(
        index=index,
        positives=_total(found),
        negatives=_total(wrong),
        thresholds=tuple(_short(thresholds)),
        true=tuple(_short(found[places])),
        false=tuple(_short(wrong[places])),
    )


def histogram(negatives: np.ndarray, positives: np.ndarray, index: int) -> ScoreHistogram:
    """Return how scores spread; the arguments are those of `curve`."""
    scores = bin_scores(len(positives), middle=True)
    cell = np.minimum((scores * CELLS).astype(np.int64), CELLS - 1)
    yes, no = (np.bincount(cell, rows, minlength=CELLS) for rows in (positives, negatives))
    return ScoreHistogram(
        index=index,
        edges=tuple(_short(np.linspace(0, 1, CELLS + 1))),
        yes=tuple(_short(yes)),
        no=tuple(_short(no)),
    )


def _spread(cumulative: np.ndarray, points: int) -> np.ndarray:
    """Return the places at which a sum passes evenly spaced parts of its total."""
    total = _total(cumulative)
    if not total:
        return np.zeros(0, np.int64)
    wanted = total * np.arange(1, points // 2 + 1) / (points // 2)
    return np.minimum(np.searchsorted(cumulative, wanted), len(cumulative) - 1)


def _total(cumulative: np.ndarray) -> float:
    return float(cumulative[-1])


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]
