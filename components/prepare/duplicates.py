"""Which of the rows with equal keys are kept: keys are compared, not their hashes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.prepare import Keep


def has_key(keys: Sequence[pa.Array]) -> np.ndarray:
    """Return which rows have a value in each column of the key, bool [rows]."""
    return np.logical_and.reduce([np.asarray(key.is_valid()) for key in keys])


def duplicates(
    keys: Sequence[pa.Array], order: pa.Array | None, places: Sequence[np.ndarray], keep: Keep
) -> np.ndarray:
    """Return which rows are dropped, bool [rows].

    Args:
      keys: the columns of the key, without missing values.
      order: the column that says which row is first; None for their places. A row that lacks it is
        kept only if all rows with its key do.
      places: the file and the row of each, which are unique; they decide between equal rows.
      keep: which row is kept.

    >>> keys, places = [pa.array(["a", "b", "a"])], [np.zeros(3), np.arange(3)]
    >>> duplicates(keys, None, places, Keep()).tolist()
    [False, False, True]
    """
    codes = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        own = _ranks(key)
        pairs = codes * (int(own.max(initial=0)) + 1) + own
        codes = np.unique(pairs, return_inverse=True)[1].reshape(-1)  # small again
    ranks = np.zeros(len(codes), np.int64) if order is None else _ranks(order)
    if order is not None and not keep.last:
        ranks[ranks < 0] = np.iinfo(np.int64).max
    by_key = np.lexsort((*reversed(places), ranks, codes))
    sorted_codes = codes[by_key]
    differs = np.append(sorted_codes[1:] != sorted_codes[:-1], True)  # from the next row
    if not keep.last:
        differs = np.append(True, differs)[: len(codes)]
    dropped = np.ones(len(codes), bool)
    dropped[by_key[differs[: len(codes)]]] = False
    return dropped


def _ranks(values: pa.Array) -> np.ndarray:
    """Return numbers in the order of the values, int64 [rows]; -1 for a missing one."""
    if pa.types.is_floating(values.type):
        values = pa.array(values.to_numpy(zero_copy_only=False) + 0.0, mask=_missing(values))
    encoded = values.dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), np.int64)
    ranks[pc.array_sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    indices = encoded.indices.fill_null(-1).to_numpy()
    return np.append(ranks, -1)[indices]


def _missing(values: pa.Array) -> np.ndarray:
    return np.asarray(values.is_null())
