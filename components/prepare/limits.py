"""The limits beyond which a column's values are outliers, from the counts of its values."""

from __future__ import annotations

import numpy as np

from schemas.prepare import OutlierRule


def limits(rule: OutlierRule, values: np.ndarray, rows: np.ndarray) -> tuple[float, float] | None:
    """Return the smallest and the largest value that are not outliers; None without values.

    A quantile is the smallest value that at least this share of the rows does not exceed.

    Args:
      rule: the rule.
      values: the different values, float64, ascending.
      rows: how many rows have each.

    >>> limits(OutlierRule(iqr=1), np.array([0.0, 2.0, 4.0, 6.0]), np.ones(4, int))
    (-4.0, 8.0)
    """
    if not len(values):
        return None
    if rule.quantiles is not None:
        low, high = _quantiles(rule.quantiles, values, rows)
        return low, high
    if rule.iqr is not None:
        low, high = _quantiles((0.25, 0.75), values, rows)
        distance = rule.iqr * (high - low)
        return low - distance, high + distance
    assert rule.z is not None  # one of the three is given
    mean = float(np.average(values, weights=rows))
    distance = rule.z * float(np.sqrt(np.average((values - mean) ** 2, weights=rows)))
    return mean - distance, mean + distance


def _quantiles(
    shares: tuple[float, float], values: np.ndarray, rows: np.ndarray
) -> tuple[float, float]:
    up_to = np.cumsum(rows)
    wanted = np.ceil(np.array(shares) * up_to[-1])
    low, high = values[np.searchsorted(up_to, np.maximum(wanted, 1))]
    return float(low), float(high)
