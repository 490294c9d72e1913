"""Figures of a column of the training split, by which treatments foresee trouble."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnFigures:
    """Figures of a column.

    Attributes:
      values: the number of its values: rows that have one, or the values of all lists.
      distinct: the number of distinct values; None of numbers that are not categories.
      least: the smallest number; None of texts.
      greatest: the greatest number; None of texts.
      quantiles: numbers between which are equally many values each, ends included.
    """

    values: int
    distinct: int | None = None
    least: float | None = None
    greatest: float | None = None
    quantiles: tuple[float, ...] = ()

    @property
    def share_of_one_value(self) -> float:
        """The share of values that are surely equal: between quantiles that are."""
        pairs = list(itertools.pairwise(self.quantiles))
        runs = itertools.groupby(pairs, key=lambda pair: pair[0] if pair[0] == pair[1] else None)
        longest = max((len(list(run)) for value, run in runs if value is not None), default=0)
        return longest / max(len(pairs), 1)
