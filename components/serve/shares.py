"""Joins the arrays of several requests, and gives each request its share of a result.

Arrays have a name and one row for each row of the request. Rows are copied only to join them; a
share is sliced when it is accessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from components.serve import lists
from components.serve.messages import Arrays

Converted = TypeVar("Converted")


class Share(Mapping[str, np.ndarray]):
    """A slice of a batch's arrays, which are sliced when they are accessed.

    Args:
      arrays: the arrays of the batch.
      rows: the rows of this share.
      converted: results of `of_batch` by name; one mapping for all shares of the batch.
    """

    __slots__ = ("_arrays", "_converted", "rows")

    def __init__(self, arrays: Arrays, rows: slice, converted: dict[str, Any]) -> None:
        self._arrays, self.rows, self._converted = arrays, rows, converted

    def of_batch(self, name: str, convert: Callable[[str, np.ndarray], Converted]) -> Converted:
        """Convert the whole batch's array of a name, once for all shares; return the result.

        Every share of a batch has to use the same `convert`.
        """
        if name not in self._converted:
            self._converted[name] = convert(name, self._arrays[name])
        converted: Converted = self._converted[name]
        return converted

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name][self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def concatenated(inputs: Sequence[Arrays], of_lists: Collection[str] = ()) -> Arrays:
    """Return the arrays of several requests as one array each.

    Args:
      inputs: the arrays of each request.
      of_lists: the names of arrays of lists, which are padded to one width.
    """
    if len(inputs) == 1:
        return inputs[0]
    return {
        name: lists.stacked([each[name] for each in inputs], f"input {name!r}, requests joined")
        if name in of_lists
        else np.concatenate([each[name] for each in inputs])
        for name in inputs[0]
    }


def split(arrays: Arrays, sizes: Sequence[int]) -> list[Share]:
    """Return each request's share of joined arrays.

    Raises:
      ValueError: an array does not have one row for each row of the requests.
    """
    rows = sum(sizes)
    for name, array in arrays.items():
        if array.shape[:1] != (rows,):
            raise ValueError(f"array {name!r} of {rows} rows has shape {array.shape}")
    ends, converted = list(accumulate(sizes)), dict[str, Any]()
    return [
        Share(arrays, slice(end - size, end), converted)
        for end, size in zip(ends, sizes, strict=True)
    ]
