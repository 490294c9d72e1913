"""Partial dependence: the mean score if all rows had the same value of a column (Friedman 2001).

Values are those of rows: quantiles of numbers and times, the commonest ones of categories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from components.examples import column as column_of
from components.explain.explained import Dependence, DependencePoint, Score
from components.explain.rows import SplitRows
from schemas.columns import Column

if TYPE_CHECKING:
    from components.explain.scorer import RowScorer

POINTS = 10  # of numbers at quantiles, and of categories
_FEW = 12  # numbers with at most so many values are shown at each of them
_NORMAL_95 = 1.959964
_MISSING = 0.005  # the share of missing values from which on they have a point

Kind = Literal["number", "category", "time"]


class ChosenPoint(NamedTuple):
    """A value of a column: the row that has it, and the share of rows that it stands for."""

    value: float | int | str | None
    row: int
    share: float


def dependence(
    scorer: RowScorer, rows: SplitRows, column: Column, *, is_category: bool, scored: int
) -> Dependence | None:
    """Return the dependence of the scores on a column; None if it never has a value.

    Args:
      scorer: the model.
      rows: those whose values are the points.
      column: one that has a single value in a row.
      is_category: whether its whole numbers are names.
      scored: how many of the rows are scored at each point.
    """
    kind = kind_of(column, is_category=is_category)
    points = choose_points(column_of(rows.batch, column.name), kind)
    if not points:
        return None
    few, values = rows.first(scored), rows.raw[column.name]
    changes = [{column.name: np.repeat(values[p.row : p.row + 1], len(few))} for p in points]
    found = []
    for point, scores in zip(points, scorer.changed(few.raw, changes), strict=True):
        mean, half = _mean(scores, rows, few)
        found.append(
            DependencePoint(
                value=point.value,
                mean=_score(mean),
                low=_score(mean - half),
                high=_score(mean + half),
                share=point.share,
            )
        )
    return Dependence(column=column.name, type=kind, rows=len(few), points=tuple(found))


def kind_of(column: Column, *, is_category: bool) -> Kind:
    """Return how a column's values are chosen and shown."""
    if column.type.is_time:
        return "time"
    is_name = column.type.is_text or column.type.is_boolean or is_category
    return "category" if is_name else "number"


def choose_points(array: pa.Array, kind: Kind) -> list[ChosenPoint]:
    """Return the values at which the dependence on a column of examples is measured."""
    missing = np.asarray(array.is_null(nan_is_null=True))
    if missing.all():
        return []
    encoded = array.dictionary_encode()
    values = encoded.dictionary
    numbers = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    numbers = np.where(missing, len(values), numbers)
    counts = np.bincount(numbers, minlength=len(values) + 1)[: len(values)]
    known = np.flatnonzero(counts)
    if kind == "category":
        chosen = _commonest(values, counts, known)
        shares = counts[chosen] / len(array)
    else:
        chosen, shares = _quantiles(values, counts, known, len(array))
    rows = [int(np.argmax(numbers == number)) for number in chosen]
    points = [
        ChosenPoint(_plain(values[int(number)], kind), row, float(share))
        for number, row, share in zip(chosen, rows, shares, strict=True)
    ]
    if missing.mean() >= _MISSING:
        points.append(ChosenPoint(None, int(np.argmax(missing)), float(missing.mean())))
    return points


def _commonest(values: pa.Array, counts: np.ndarray, known: np.ndarray) -> list[int]:
    ranked = sorted(known, key=lambda number: (-counts[number], str(values[int(number)])))
    return [int(number) for number in ranked[:POINTS]]


def _quantiles(
    values: pa.Array, counts: np.ndarray, known: np.ndarray, rows: int
) -> tuple[list[int], np.ndarray]:
    """Return values at the middles of equal shares of the rows, and the share nearest to each."""
    as_floats = values.to_numpy(zero_copy_only=False).astype(np.float64)
    order = known[np.argsort(as_floats[known], kind="stable")]
    ends = np.cumsum(counts[order])
    if len(order) <= _FEW:
        at = np.arange(len(order))
    else:
        at = np.unique(np.searchsorted(ends, (np.arange(POINTS) + 0.5) / POINTS * ends[-1]))
    points = as_floats[order[at]]
    middles = (points[1:] + points[:-1]) / 2
    nearest = np.searchsorted(middles, as_floats[order], side="right")
    shares = np.bincount(nearest, counts[order], minlength=len(at)) / rows
    return [int(number) for number in order[at]], shares


def _plain(value: pa.Scalar, kind: Kind) -> float | int | str:
    if kind == "time":
        return f"{np.datetime64(value.as_py(), 'us').item().isoformat()}Z"
    # a float32 read as a Python float has digits that are not in the data
    is_short = pa.types.is_float32(value.type)
    return float(str(np.float32(value.as_py()))) if is_short else value.as_py()


def _mean(scores: np.ndarray, rows: SplitRows, few: SplitRows) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of changed scores of few rows, and half of its 95 % interval.

    The scores as they are, known of all rows, are a control variate with the coefficient that makes
    the error least (Owen 2013, Monte Carlo theory, section 8.9).
    """
    all_scores, own = rows.scores.astype(np.float64), few.scores.astype(np.float64)
    changed, share = scores.astype(np.float64), few.weights / few.weights.sum()
    off = own - share @ own
    spread = share @ off**2
    slope = np.divide(share @ (off * changed), spread, out=np.zeros_like(spread), where=spread > 0)
    left, error = _mean_and_error(changed - slope * own, few.weights)
    mean, other = _mean_and_error(all_scores, rows.weights)
    return left + slope * mean, _NORMAL_95 * np.hypot(error, slope * other)


def _mean_and_error(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = weights / weights.sum()
    mean = share @ values
    return mean, np.sqrt(share**2 @ (values - mean) ** 2)


def _score(value: np.ndarray) -> Score:
    return float(value) if value.ndim == 0 else tuple(map(float, value))
