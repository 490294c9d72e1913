"""Arrays of several requests as one array each, and the share of each request again.

Goes in and comes out: arrays by name, a row of the request a row of each. No row is copied but to
join them: a share is cut out when it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from components.serve.messages import Arrays

Converted = TypeVar("Converted")


class Share(Mapping[str, np.ndarray]):
    """Some rows of a batch's arrays, cut out when they are looked at.

    Args:
      arrays: of the batch.
      rows: of this share.
      converted: what `of_batch` gave for the batch's arrays, by name; one for all shares.
    """

    __slots__ = ("_arrays", "_converted", "rows")

    def __init__(self, arrays: Arrays, rows: slice, converted: dict[str, Any]) -> None:
        self._arrays, self.rows, self._converted = arrays, rows, converted

    def of_batch(self, name: str, convert: Callable[[str, np.ndarray], Converted]) -> Converted:
        """Return what a name and the whole batch's array are converted to, once for all shares.

        Every share of a batch has to ask with the same `convert`.
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


def concatenated(inputs: Sequence[Arrays]) -> Arrays:
    """Return the arrays of several requests as one array each."""
    if len(inputs) == 1:
        return inputs[0]
    return {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}


def split(arrays: Arrays, sizes: Sequence[int]) -> list[Share]:
    """Return each request's share of joined arrays.

    Raises:
      ValueError: an array is not of one row a row.
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
