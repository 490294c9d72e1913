"""Scores and outcomes → a reliability diagram with intervals, as numbers."""

from __future__ import annotations

import math

import numpy as np

from components.tasks.probabilities import CELLS, calibration_cells
from schemas.description import Cell

NORMAL = 1.959963984540054  # 95 % of a normal distribution are within so many deviations


Diagram = tuple[Cell, ...]


def diagram(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> Diagram:
    """Return the cells that have rows, by rising score; all arguments are [rows]."""
    weights = np.ones(len(scores)) if weights is None else weights
    cell = calibration_cells(scores)
    rows, yes, total, squared = (
        np.bincount(cell, each, minlength=CELLS)
        for each in (weights, weights * positive, weights * scores, weights**2)
    )
    return tuple(
        _cell(rows[i], yes[i], total[i], rows[i] ** 2 / squared[i])
        for i in range(CELLS)
        if rows[i] > 0
    )


def of_sums(negatives: np.ndarray, positives: np.ndarray, scores: np.ndarray) -> Diagram:
    """Return the same from the sums of a tally, by cell: of negatives, positives and scores."""
    rows = (negatives + positives).astype(np.float64)
    return tuple(
        _cell(rows[i], float(positives[i]), float(scores[i]), rows[i])
        for i in range(CELLS)
        if rows[i] > 0
    )


def _cell(rows: float, positives: float, scores: float, effective: float) -> Cell:
    low, high = wilson(positives / rows, effective)
    return Cell(rows=rows, score=scores / rows, share=positives / rows, low=low, high=high)


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of so many rows.

    >>> [round(each, 4) for each in wilson(0.5, 100)]
    [0.4038, 0.5962]
    """
    middle = share + NORMAL**2 / (2 * rows)
    reach = NORMAL * math.sqrt(share * (1 - share) / rows + NORMAL**2 / (4 * rows**2))
    whole = 1 + NORMAL**2 / rows
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)
