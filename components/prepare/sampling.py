"""How often each training row is learnt from, as `prepare.sample` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.prepare import TrainingSample


def factors(sample: TrainingSample, rows: Mapping[str, int]) -> dict[str, float]:
    """Return how often rows of each class are to be taken on average; others are taken once.

    Args:
      sample: by classes.
      rows: how many rows of each class there are; only shares depend on it.

    >>> factors(TrainingSample(share={"1": 0.25}), {"0": 90, "1": 10})
    {'1': 3.0}
    """
    if not sample.share:
        return dict(sample.rates)
    others = sum(count for name, count in rows.items() if name not in sample.share)
    left = 1 - sum(sample.share.values())
    wanted = {name: share / left * others for name, share in sample.share.items()}
    return {name: max(1.0, total / rows[name]) for name, total in wanted.items() if rows.get(name)}


def copies(
    draws: np.ndarray, classes: np.ndarray, names: Sequence[str], wanted: Mapping[str, float]
) -> np.ndarray:
    """Return how often each row is taken, int64 [rows].

    Args:
      draws: a number in [0, 1) for each row, always the same for the same row.
      classes: the number of each row's class, [rows].
      names: the classes.
      wanted: the averages by class, from `factors`.
    """
    average = np.array([wanted.get(name, 1.0) for name in names])[classes]
    whole = np.floor(average)
    return (whole + (draws < average - whole)).astype(np.int64)
