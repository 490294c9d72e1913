"""Sums over rows → shares and means with their 95 % intervals, and rank correlations."""

from __future__ import annotations

import math

import numpy as np

from components.validate.relations import Estimate

_Z = 1.959964  # the standard normal's quantile for 95 %, two-sided
_DIGITS = 6  # what weighted sums in any order have in common
_ROWS, _SQUARES, _SUMS = 0, 1, 2  # the moments: rows, squares of weights, and the sums from here


def moments(
    bins: np.ndarray, size: int, outcome: np.ndarray, weights: np.ndarray | None, classes: int
) -> np.ndarray:
    """Return the moments of the rows in each bin, float64 [size, moments].

    Args:
      bins: the number of each row's bin, int64 [rows].
      size: how many bins there are.
      outcome: the class of each row, int64 [rows], or its number, float64 [rows].
      weights: how much each row counts, float64 [rows]; None if all count the same.
      classes: how many classes there are; 0 for a number.

    Returns:
      For each bin its rows, its squared weights, and then the weight of each class, or the sums of
      the weights, of the numbers and of their squares.
    """
    rows = np.bincount(bins, minlength=size)
    squares = rows if weights is None else np.bincount(bins, weights**2, size)
    if classes:
        cells = np.bincount(bins * classes + outcome, weights, size * classes)
        return np.column_stack([rows, squares, cells.reshape(size, classes)]).astype(np.float64)
    if weights is None:
        weights = np.ones(len(bins))
    sums = [np.bincount(bins, weights * outcome**power, size) for power in range(3)]
    return np.column_stack([rows, squares, *sums])


def rows_of(sums: np.ndarray) -> int:
    """Return the rows of one bin."""
    return int(sums[_ROWS])


def estimates(sums: np.ndarray, shown: tuple[int, ...]) -> tuple[Estimate, ...]:
    """Return the share of each class that is shown, or the mean, from the moments of one bin.

    The interval of a share is Wilson's (1927), that of a mean the normal one. With weights, the
    rows count as (Σw)² / Σw² rows (Kish 1965).
    """
    total, rows = _total(sums, bool(shown)), _effective(sums, bool(shown))
    if not rows or not math.isfinite(total):
        return tuple(Estimate(value=None) for _ in shown or (0,))
    if not shown:
        return (_mean(sums[_SUMS + 1] / total, sums[_SUMS + 2] / total, rows),)
    return tuple(_share(sums[_SUMS + number] / total, rows) for number in shown)


def _share(share: float, rows: float) -> Estimate:
    spread = _Z**2 / rows
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(value=_short(share), low=_short(low), high=_short(high))


def _mean(mean: float, square: float, rows: float) -> Estimate:
    if not math.isfinite(mean):
        return Estimate(value=None)
    if rows <= 1 or not math.isfinite(square):
        return Estimate(value=_short(mean))
    half = _Z * math.sqrt(max(0.0, square - mean**2) / (rows - 1))
    return Estimate(value=_short(mean), low=_short(mean - half), high=_short(mean + half))


def strength(sums: np.ndarray, *, classes: bool) -> float:
    """Return the share of the outcome's variance that bins explain, less what chance explains.

    Args:
      sums: the moments of each bin, float64 [bins, moments].
      classes: whether the outcome is a class.
    """
    filled = sums[sums[:, _ROWS] > 0]
    whole = filled.sum(axis=0)
    rows, bins = _effective(whole, classes), len(filled)
    total = _variation(whole, classes)
    if rows <= bins or not math.isfinite(total) or total <= 0:
        return 0.0
    within = sum(_variation(each, classes) for each in filled)
    explained = 1 - within / total * (rows - 1) / (rows - bins)
    return _short(max(0.0, explained)) if math.isfinite(explained) else 0.0


def _variation(sums: np.ndarray, classes: bool) -> float:
    """Return the sum of squared deviations from the mean; of classes, over all of them."""
    total = _total(sums, classes)
    if not total:
        return 0.0
    if classes:
        return float(total - np.square(sums[_SUMS:]).sum() / total)
    return max(0.0, float(sums[_SUMS + 2] - sums[_SUMS + 1] ** 2 / total))


def _total(sums: np.ndarray, classes: bool) -> float:
    return float(sums[_SUMS:].sum() if classes else sums[_SUMS])


def _effective(sums: np.ndarray, classes: bool) -> float:
    """Return how many rows of equal weight would be as good."""
    return _total(sums, classes) ** 2 / sums[_SQUARES] if sums[_SQUARES] > 0 else 0.0


def correlations(
    ranks: np.ndarray, present: np.ndarray, weights: np.ndarray | None
) -> tuple[tuple[float | None, ...], ...]:
    """Return the correlation of each two columns over the rows that have both.

    It is None where no two rows have both, or one of them has one value there.

    Args:
      ranks: of each column in each row, 0 where it has none, float64 [columns, rows].
      present: whether it has one, bool [columns, rows].
      weights: how much each row counts, float64 [rows]; None if all count the same.
    """
    has = present.astype(np.float64)
    weighed, counted = (ranks, has) if weights is None else (ranks * weights, has * weights)
    rows, first = counted @ has.T, weighed @ has.T
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = weighed @ ranks.T - first * first.T / rows
        variance = (weighed * ranks) @ has.T - first**2 / rows
        found = covariance / np.sqrt(variance * variance.T)
    return tuple(
        tuple(_short(value) if math.isfinite(value) else None for value in row) for row in found
    )


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
