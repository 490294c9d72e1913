"""Lists of ids, and their weights, as arrays [rows, lists, width] as wide as the longest list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from components import list_arrays
from schemas.signatures import PADDING

# The names of the model's inputs.
LISTS = "lists"
WEIGHTS = "weights"

# The inputs of a batch by name, its labels, and the weights of its rows, if any.
Batch = tuple[Any, ...]


def pack_lists(arrays: Sequence[pa.Array]) -> np.ndarray:
    """Return lists of ids [B] as int32 [B, lists, width]."""
    lists = [list_arrays.parts(array) for array in arrays]
    width = max(int(each.lengths.max(initial=0)) for each in lists)
    packed = np.full((len(arrays[0]), len(lists), width), PADDING, np.int32)
    for i, each in enumerate(lists):
        packed[:, i][_within(each, width)] = each.values.to_numpy()
    return packed


def pack_weights(arrays: Sequence[pa.Array | None], ids: np.ndarray) -> np.ndarray:
    """Return the weights of packed ids, float32 [B, lists, width]; 1 where a list has no weights.

    Args:
      arrays: of each list, its weights [B], as many as it has ids, or None.
      ids: int32 [B, lists, width].
    """
    packed = np.where(ids == PADDING, np.float32(PADDING), np.float32(1))
    for i, array in enumerate(arrays):
        if array is not None:
            each = list_arrays.parts(array)
            packed[:, i][_within(each, ids.shape[2])] = each.values.to_numpy()
    return packed


def _within(lists: list_arrays.ListParts, width: int) -> np.ndarray:
    """Return where lists have a value, bool [B, width]."""
    return np.arange(width) < lists.lengths[:, np.newaxis]


def rebatched(groups: Iterable[Batch], size: int) -> Iterator[Batch]:
    """Yield the rows of row groups in batches of `size` rows; the last one may be smaller.

    TensorFlow cannot join row groups of different widths.
    """
    kept: list[Batch] = []
    rows = 0
    for inputs, *targets in groups:
        start, count = 0, len(targets[0])
        while start < count:
            stop = min(count, start + size - rows)
            part = slice(start, stop)
            of_part = {name: values[part] for name, values in inputs.items()}
            kept.append((of_part, *(each[part] for each in targets)))
            rows, start = rows + stop - start, stop
            if rows == size:
                yield _joined(kept)
                kept, rows = [], 0
    if kept:
        yield _joined(kept)


def _joined(parts: Sequence[Batch]) -> Batch:
    given, *targets = zip(*parts, strict=True)
    inputs = {
        name: (_stacked if name in (LISTS, WEIGHTS) else np.concatenate)(
            [each[name] for each in given]
        )
        for name in given[0]
    }
    return inputs, *map(np.concatenate, targets)


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return lists [B, L, any width] one below the other, without columns of padding."""
    width = max(int((each != PADDING).sum(axis=2).max(initial=0)) for each in parts)
    joined = np.full((sum(map(len, parts)), parts[0].shape[1], width), PADDING, parts[0].dtype)
    start = 0
    for each in parts:
        narrow = each[:, :, :width]
        joined[start : start + len(each), :, : narrow.shape[2]] = narrow
        start += len(each)
    return joined
