"""How much of a label one column alone explains: Theil's uncertainty coefficient, from 0 to 1."""

from __future__ import annotations

import numpy as np

from components.profile.types import Typed

_BINS = 50  # of numbers
_ROWS_PER_CELL = 5  # with fewer rows, chance alone explains much


def codes_of(column: Typed) -> np.ndarray:
    """Return a small whole number for each row; equal ones for equal values, or for a bin.

    Missing is a value, too.
    """
    values = column.column
    if column.nature != "number":
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

    A feature with so many values that few rows share one counts as explaining nothing: chance would
    look like knowledge.

    Args:
      label: codes of shape [rows].
      feature: codes of shape [rows].
    """
    wide, high = int(label.max(initial=0)) + 1, int(feature.max(initial=0)) + 1
    used = len(np.unique(feature))
    if len(label) < _ROWS_PER_CELL * used:
        return 0.0
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
