"""Shapley values: what each column adds to the answer for a row.

The value of a set of columns is the mean answer if they have the row's values and all others those
of a background row (Lundberg and Lee 2017, arXiv:1705.07874). A column's Shapley value is what it
adds to this value, as the mean over all orders in which columns can be added. The values of all
columns add up to the answer for the row, less the mean answer for the background.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Raw columns [rows] → answers, [rows] or [rows, outputs].
Answer = Callable[[Mapping[str, np.ndarray]], np.ndarray]

MOST_EXACT = 10  # columns; their sets are then at most 1,024
_LEAST_ORDERS, _MOST_ORDERS = 4, 32  # pairs of an order and its reverse
_LEAST_BACKGROUND = 5
_CALL_ROWS = 4_096


@dataclass(frozen=True)
class ShapleyValues:
    """What each column adds to an answer.

    Attributes:
      base: the mean answer for the background, float64 [outputs].
      answer: the answer for the row, float64 [outputs].
      columns: the columns.
      values: of the columns, float64 [columns, outputs]; with `base` they add up to `answer`.
      errors: standard errors of the values, of the same shape; 0 where they are exact.
      background: how many background rows were used.
      scored: how many rows were scored.
    """

    base: np.ndarray
    answer: np.ndarray
    columns: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    background: int
    scored: int

    @property
    def exact(self) -> bool:
        """Whether all sets of columns were scored, rather than some orders of columns."""
        return len(self.columns) <= MOST_EXACT


def shapley_values(
    answer: Answer, pool: Mapping[str, np.ndarray], *, most_rows: int
) -> ShapleyValues:
    """Return the Shapley values of a row against background rows.

    Of at most `MOST_EXACT` columns all sets are scored. Of more columns, random orders are, each
    with its reverse (Mitchell et al. 2022, JMLR 23, arXiv:2104.12199); the same columns always give
    the same orders.

    Args:
      answer: the model.
      pool: raw columns; the row is the first one, followed by at least one background row.
      most_rows: how many rows to score, about; the fewer, the fewer background rows are used.
    """
    columns = tuple(pool)
    size = len(next(iter(pool.values()))) - 1
    if len(columns) <= MOST_EXACT:
        size = min(size, max(_LEAST_BACKGROUND, most_rows >> len(columns)))
        sets = SetValues(answer, pool, size)
        values = _exact(sets, len(columns))
        return sets.result(values, np.zeros_like(values))
    chain = 2 * (len(columns) - 1)  # sets of an order and its reverse, without the two ends
    size = max(min(_LEAST_BACKGROUND, size), min(size, most_rows // (chain * _LEAST_ORDERS)))
    orders = min(_MOST_ORDERS, max(_LEAST_ORDERS, most_rows // (chain * size)))
    sets = SetValues(answer, pool, size)
    values = _sampled(sets, len(columns), orders)
    return sets.result(values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(orders))


class SetValues:
    """The values of sets of columns.

    Args:
      answer: the model.
      pool: the row, then background rows.
      size: how many background rows to use.
    """

    def __init__(self, answer: Answer, pool: Mapping[str, np.ndarray], size: int) -> None:
        self._answer, self._pool, self._size = answer, pool, size
        self._scored = 0
        self._ends = self.of(np.array([[False] * len(pool), [True] * len(pool)]))

    @property
    def ends(self) -> np.ndarray:
        """The values of no column, and of all columns, float64 [2, outputs]."""
        return self._ends

    def of(self, sets: np.ndarray) -> np.ndarray:
        """Return the values, float64 [sets, outputs], of sets, bool [sets, columns]."""
        found = []
        at_once = max(1, _CALL_ROWS // self._size)
        background = np.arange(1, self._size + 1)
        for start in range(0, len(sets), at_once):
            some = sets[start : start + at_once]
            rows = {
                name: values[np.where(some[:, number, np.newaxis], 0, background).ravel()]
                for number, (name, values) in enumerate(self._pool.items())
            }
            answers = np.asarray(self._answer(rows), np.float64)
            self._scored += len(answers)
            found.append(answers.reshape(len(some), self._size, -1).mean(axis=1))
        return np.concatenate(found)

    def result(self, values: np.ndarray, errors: np.ndarray) -> ShapleyValues:
        """Return the values of columns with what they are relative to."""
        base, whole = self._ends
        return ShapleyValues(
            base, whole, tuple(self._pool), values, errors, self._size, self._scored
        )


def _exact(sets: SetValues, columns: int) -> np.ndarray:
    """Return the values of the columns, float64 [columns, outputs], by all of their sets."""
    numbers = np.arange(1 << columns)
    members = (numbers[:, np.newaxis] >> np.arange(columns) & 1).astype(bool)
    values, sizes = sets.of(members), members.sum(axis=1)
    weights = np.array([1 / (columns * math.comb(columns - 1, k)) for k in range(columns)])
    found = []
    for column in range(columns):
        without = numbers[~members[:, column]]
        added = values[without | 1 << column] - values[without]
        found.append(weights[sizes[without]] @ added)
    return np.array(found)


def _sampled(sets: SetValues, columns: int, orders: int) -> np.ndarray:
    """Return values by random orders, float64 [orders, columns, outputs]."""
    draw = np.random.default_rng(columns)
    chosen = [draw.permutation(columns) for _ in range(orders)]
    both = [each for order in chosen for each in (order, order[::-1])]
    chains = np.concatenate([_chain(order)[1:-1] for order in both])
    inner = sets.of(chains).reshape(len(both), columns - 1, -1)
    found = np.empty((len(both), columns, inner.shape[2]))
    for number, order in enumerate(both):
        values = np.concatenate([sets.ends[:1], inner[number], sets.ends[1:]])
        found[number, order] = np.diff(values, axis=0)
    return (found[::2] + found[1::2]) / 2


def _chain(order: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the sets that an order makes, from none to all, bool [columns + 1, columns]."""
    places = np.argsort(order)
    return places[np.newaxis, :] < np.arange(len(order) + 1)[:, np.newaxis]
