"""Columns that do not help: a paired test of what permuting them costs.

A column helps if permuting it costs more than 1.645 standard errors of the cost: a one-sided test
at 5 % of the rows' losses with and without it, paired by rows. Columns that do not help alone may
do so together, as each has what another one says. So the columns that are dropped are permuted
together, too, and that has to pass the same test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from components.explain.explained import Importance, Unhelpful, UnhelpfulColumns
from components.explain.importance import PairedDifference


class PermutingMeter(Protocol):
    """Measures the cost of permuted columns; see `CostMeter`."""

    def permuted(self, groups: Sequence[tuple[str, ...]], repeats: int) -> list[PairedDifference]:
        """Return the difference that permuting each group of columns makes."""
        ...


def find_unhelpful(meter: PermutingMeter, found: Importance) -> Unhelpful:
    """Return columns that can be dropped together; at least one stays.

    Args:
      meter: of the eval split.
      found: what each column costs alone there; those that were not measured moved the scores
        least, and count as of no help alone.
    """
    alone = [each for each in reversed(found.columns) if not each.helps]
    ranked = [
        *(UnhelpfulColumns(columns=columns) for columns in found.unmeasured),
        *(UnhelpfulColumns(columns=each.columns, drop=each.drop) for each in alone),
    ]
    if len(alone) == len(found.columns):
        ranked = ranked[:-1]
    count, together = _most_together(meter, ranked, found.repeats)
    return Unhelpful(columns=tuple(ranked[:count]), together=together and together.cost)


def _most_together(
    meter: PermutingMeter, ranked: Sequence[UnhelpfulColumns], repeats: int
) -> tuple[int, PairedDifference | None]:
    """Return how many of the first columns do not help together, by bisection, and their cost."""
    fits, cost = 0, None
    low, high = 1, len(ranked)
    middle = high  # often all of them
    while low <= high:
        names = tuple(name for each in ranked[:middle] for name in each.columns)
        (measured,) = meter.permuted([names], repeats)
        if measured.cost.helps:
            high = middle - 1
        else:
            fits, cost, low = middle, measured, middle + 1
        middle = (low + high + 1) // 2
    return fits, cost
