"""Intervals of 95 % from sums, without resampling, for the many slices of a split."""

from __future__ import annotations

import math

from components.tasks.reliability import NORMAL

Interval = tuple[float, float]


def of_mean(mean: float, square: float, rows: int) -> Interval:
    """Return the normal interval of a mean, which is not below 0.

    Args:
      mean: of some values of at least 0, such as losses.
      square: the mean of their squares.
      rows: how many values there are, at least 1.
    """
    reach = NORMAL * math.sqrt(max(0.0, square - mean**2) / rows)
    return max(0.0, mean - reach), mean + reach


def of_area(area: float, positives: int, negatives: int) -> Interval:
    """Return the interval of an area under the ROC curve (Hanley & McNeil 1982).

    >>> [round(each, 3) for each in of_area(0.8, 50, 50)]
    [0.713, 0.887]
    """
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (positives - 1) * (first - area**2)
        + (negatives - 1) * (second - area**2)
    ) / (positives * negatives)
    reach = NORMAL * math.sqrt(max(0.0, variance))
    return max(0.0, area - reach), min(1.0, area + reach)
