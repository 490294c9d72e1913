"""How much of a label one column alone explains: Theil's uncertainty coefficient, from 0 to 1."""

from __future__ import annotations

import numpy as np

from components.profile.types import Typed

_BINS = 50  # of numbers
_ROWS_PER_CELL = 5  # with fewer rows, nothing but chance would be measured
_SEED = 0


def codes_of(column: Typed) -> np.ndarray:
    """Return a small whole number for each row; equal ones for equal values, or for a bin.

    Missing is a value, too. It is the only one that counts in a column with so many values that
    few rows share one: a time of cancellation says by its presence alone what happened.
    """
    values = column.column
    if column.nature != "number":
        if len(values.array) < _ROWS_PER_CELL * values.distinct:
            return values.array.is_null().to_numpy(zero_copy_only=False).astype(np.int64)
        encoded = values.array.dictionary_encode()
        return encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    numbers = values.numbers
    known = numbers[~np.isnan(numbers)]
    distinct = np.unique(known)
    if len(distinct) > _BINS:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
    codes = np.searchsorted(distinct, numbers, side="right")
    codes[np.isnan(numbers)] = len(distinct) + 1
    return codes


def uncertainty(label: np.ndarray, feature: np.ndarray) -> float:
    """Return the share of the label's entropy that a feature takes away; 1 if it decides the label.

    What a feature takes away of the same labels in another order is chance, and does not count: a
    feature of many values explains much of a rare class in any order. Where few rows share a value,
    it counts as explaining nothing.

    Args:
      label: codes of shape [rows].
      feature: codes of shape [rows].
    """
    if len(label) < _ROWS_PER_CELL * len(np.unique(feature)):
        return 0.0
    chance = _explained(np.random.default_rng(_SEED).permutation(label), feature)
    if chance == 1:
        return 0.0
    return max((_explained(label, feature) - chance) / (1 - chance), 0.0)


def _explained(label: np.ndarray, feature: np.ndarray) -> float:
    wide, high = int(label.max(initial=0)) + 1, int(feature.max(initial=0)) + 1
    counts = np.bincount(feature.astype(np.int64) * wide + label, minlength=wide * high)
    joint = counts.reshape(high, wide) / len(label)
    of_label = _entropy(joint.sum(axis=0))
    if of_label == 0:
        return 0.0
    within = _entropy(joint.ravel()) - _entropy(joint.sum(axis=1))
    return float(min(max(1 - within / of_label, 0.0), 1.0))


def _entropy(shares: np.ndarray) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())
