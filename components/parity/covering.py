"""Distributes many changes over few rows, so that every change and every pair is in some row.

The functions take the number of items and return which of them are in which row. They are pure and
deterministic: the same numbers give the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

_SEED = 20_240_229


def pairs_together(count: int, rows: int) -> np.ndarray:
    """Return a covering array of strength 2: bool [rows, count], the members of each row.

    Each member is in a random `rows // 2 + 1` of the rows. Two such sets of rows always have a row
    in common, because together they have more members than there are rows. As no two sets are
    equal, each member is also in a row without any given other one. The number of rows needed grows
    with the logarithm of the members: 64 are enough for any table.
    """
    random = np.random.default_rng(_SEED)
    order = random.random((count, rows)).argsort(axis=1)
    members = np.zeros((count, rows), bool)
    np.put_along_axis(members, order[:, : rows // 2 + 1], True, axis=1)
    return members.T


def round_of(count: int, number: int) -> list[tuple[int, int]]:
    """Return the disjoint pairs of round `number` of a tournament of `count`.

    Each pair meets in exactly one of the `count` rounds. A row has one value a column, so columns
    cannot all be swapped with each other in fewer than `count - 1` rows.

    >>> [round_of(4, number) for number in range(4)]
    [[(1, 3)], [(0, 1), (2, 3)], [(0, 2)], [(0, 3), (1, 2)]]
    """
    pairs = ((one, (number - one) % count) for one in range(count))
    return [(one, two) for one, two in pairs if one < two]


def spread(groups: Sequence[Sequence[Item]], rows: int) -> list[list[Item]]:
    """Distribute the items of all groups over `rows` rows, or as many as the largest group has.

    No two items of a group share a row; there is a row for each item if there are that many rows.

    >>> spread(["ab", "cd", "e"], rows=3)
    [['a', 'd'], ['b', 'e'], ['c']]
    """
    rows = max(rows, *map(len, groups), 1) if groups else 1
    items = [item for group in groups for item in group]
    return [items[row::rows] for row in range(min(rows, len(items)))]


def evenly(total: int, count: int) -> list[int]:
    """Return up to `count` of range(total), evenly spread.

    >>> evenly(10, 4), evenly(3, 4)
    ([0, 2, 5, 7], [0, 1, 2])
    """
    return [i * total // count for i in range(count)] if total > count else list(range(total))


def parts(items: Sequence[Item], count: int) -> list[Sequence[Item]]:
    """Return the items in up to `count` parts of almost equal size, in their order.

    >>> parts("abcde", 3)
    ['ab', 'cd', 'e']
    """
    count = max(1, min(count, len(items)))
    ends = [-(-i * len(items) // count) for i in range(count + 1)]
    return [items[start:end] for start, end in itertools.pairwise(ends) if start < end]
