"""Logits, labels and weights → the parameters of a calibration.

Every function minimizes a convex loss, so its result does not depend on a start or a seed. Labels
are 0 and 1, or the numbers of classes; all arrays are float64 but these. Weights are positive.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.tasks.calibration import Calibrator, against_the_others

_STEPS = 50  # of Newton's method, which takes fewer than ten where the optimum is finite
_RIDGE = 1e-6  # keeps parameters finite where a line separates the classes
_POINTS = 64  # of a table at most
_LEAST_ROWS = 20  # of a point of a table

Row = tuple[float, ...]


def fit(method: str, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Calibrator:
    """Return the calibrator of a method.

    Args:
      method: one of `schemas.calibration.OF_PROBABILITIES`.
      logits: corrected ones, [rows], or [rows, classes] of several.
      labels: of 0 and 1, or the number of each row's class, int64 [rows].
      weights: how much each row counts, [rows].
    """
    if method == "temperature":
        return Calibrator(kind="line", rows=((_temperature(logits, labels, weights), 0.0),))
    kind, one = _BY_CLASS[method]
    if logits.ndim == 1:
        return Calibrator(kind=kind, rows=(one(logits, labels == 1, weights),))
    alone = against_the_others(tf.constant(logits)).numpy()
    rows = [one(alone[:, i], labels == i, weights) for i in range(logits.shape[1])]
    return Calibrator(kind=kind, rows=_of_one_length(rows))


def _of_one_length(rows: list[Row]) -> tuple[Row, ...]:
    """Repeat the last point of shorter tables, which changes no value."""
    longest = max(len(row) for row in rows) // 2
    halves = [(row[: len(row) // 2], row[len(row) // 2 :]) for row in rows]
    if all(len(row) == len(rows[0]) for row in rows):
        return tuple(rows)
    return tuple(
        (*x, *[x[-1]] * (longest - len(x)), *y, *[y[-1]] * (longest - len(y))) for x, y in halves
    )


def logistic(columns: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the coefficients of a logistic regression without intercept, [columns].

    Args:
      columns: [rows, columns].
      target: probabilities, [rows].
      weights: [rows].
    """
    weights = weights / weights.sum()
    found = np.zeros(columns.shape[1])

    def loss(coefficients: np.ndarray) -> float:
        z = columns @ coefficients
        ridge = _RIDGE * float(coefficients @ coefficients) / 2
        return float(weights @ (np.logaddexp(0, z) - target * z)) + ridge

    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(columns @ found, -700, 700)))
        gradient = columns.T @ (weights * (p - target)) + _RIDGE * found
        curvature = (columns * (weights * p * (1 - p))[:, np.newaxis]).T @ columns
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(found)), gradient)
        found, moved = _descend(loss, found, step)
        if not moved:
            break
    return found


def _descend(
    loss: Callable[[np.ndarray], float], at: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Return the point after a step, halved until the loss falls, and whether it moved."""
    before = loss(at)
    for _ in range(30):
        if loss(at - step) < before:
            return at - step, bool(np.abs(step).max() > 1e-10)
        step = step / 2
    return at, False


def _temperature(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return 1 / temperature, by Newton's method on the log-loss, which is convex in it."""
    if logits.ndim == 1:
        return max(float(logistic(logits[:, np.newaxis], labels == 1, weights)[0]), _RIDGE)
    weights = weights / weights.sum()
    own = logits[np.arange(len(labels)), labels]

    def loss(scale: np.ndarray) -> float:
        z = logits * scale
        top = z.max(axis=1)
        whole = top + np.log(np.exp(z - top[:, np.newaxis]).sum(axis=1))
        return float(weights @ (whole - own * scale))

    scale = np.ones(1)
    for _ in range(_STEPS):
        z = logits * scale
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        mean = (p * logits).sum(axis=1)
        spread = (p * logits**2).sum(axis=1) - mean**2
        step = np.array([weights @ (mean - own) / (weights @ spread + _RIDGE)])
        scale, moved = _descend(loss, scale, step)
        if not moved:
            break
    return max(float(scale[0]), _RIDGE)


def _platt(logits: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> Row:
    """Return slope and shift; targets are drawn towards 1/2 as in Platt 1999, equation 2."""
    if positive.all() or not positive.any():
        return (1.0, 0.0)
    yes, no = weights[positive].sum(), weights[~positive].sum()
    target = np.where(positive, (yes + 1) / (yes + 2), 1 / (no + 2))
    slope, shift = logistic(np.stack([logits, np.ones_like(logits)], axis=1), target, weights)
    return (max(float(slope), 0.0), float(shift))


def _beta(logits: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> Row:
    """Return a, b and c of Kull et al. 2017, section 4; a coefficient below 0 is left out."""
    if positive.all() or not positive.any():
        return (1.0, 1.0, 0.0)
    log_p, log_q = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    columns = np.stack([log_p, -log_q, np.ones_like(logits)], axis=1)
    target = positive.astype(np.float64)
    kept, found = np.ones(3, bool), np.zeros(3)
    found[:] = logistic(columns, target, weights)
    while (found[:2] < 0).any():
        kept[int(np.argmin(found[:2]))] = False
        found[:] = 0
        found[kept] = logistic(columns[:, kept], target, weights)
    return (float(found[0]), float(found[1]), float(found[2]))


def _isotonic(logits: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> Row:
    """Return the logits of the points, then what they become.

    Rows are put into at most 64 groups by their logits. The share of positives of each group, made
    to rise by pooling adjacent violators, becomes the value at the group's mean logit, so that a
    small change of a logit stays small. No share is 0 or 1 (Laplace's rule of succession).
    """
    if positive.all() or not positive.any():
        return (-1.0, 1.0, -1.0, 1.0)
    order = np.argsort(logits, kind="stable")
    z, y, w = logits[order], positive[order].astype(np.float64), weights[order]
    groups = max(1, min(_POINTS, len(z) // _LEAST_ROWS))
    wanted = np.linspace(0, len(z), groups + 1)[:-1].astype(np.int64)
    starts = np.unique(np.searchsorted(z, z[wanted]))  # equal logits stay together
    sums = np.stack([np.add.reduceat(each, starts) for each in (w, w * y, w * z)], axis=1)
    pooled = pool([tuple(each) for each in sums.tolist()])
    total, yes, where = np.array(pooled).T
    rows = total * len(z) / total.sum()
    share = (yes / total * rows + 1) / (rows + 2)
    share = np.maximum.accumulate(share)
    value = np.log(share) - np.log1p(-share)
    points = where / total
    if len(points) == 1:  # a table has at least two
        points, value = np.array([points[0], points[0] + 1]), np.repeat(value, 2)
    return (*points.tolist(), *value.tolist())


def pool(groups: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Add adjacent groups up until their shares rise: pool adjacent violators.

    Each has its weight, that of its positives, and any other sums.

    >>> pool([(1, 0), (1, 1), (1, 0), (1, 1)])
    [(1, 0), (2, 1), (1, 1)]
    """
    pooled: list[tuple[float, ...]] = []
    for group in groups:
        pooled.append(group)
        while len(pooled) > 1 and pooled[-2][1] * pooled[-1][0] >= pooled[-1][1] * pooled[-2][0]:
            last, before = pooled.pop(), pooled.pop()
            pooled.append(tuple(a + b for a, b in zip(before, last, strict=True)))
    return pooled


_BY_CLASS = {"platt": ("line", _platt), "beta": ("beta", _beta), "isotonic": ("table", _isotonic)}
