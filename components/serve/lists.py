"""Lists of a request's rows → one array [rows, width], as the graph of an export takes them.

In JSON a row has a list of values, or null if it is missing. A list may already have the padding of
that array, as TensorFlow Serving needs it. Arrays of several requests are padded to one width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from components import list_matrices
from components.serve.failures import TOO_LARGE, RequestError
from components.serve.json_text import excerpt
from components.serve.signature import NUMPY_TYPES, Signature, Tensor

_MOST_ELEMENTS = 1 << 24  # of an array; short lists may stand beside a single long one

Converter = Callable[[list[Any], Tensor, str], np.ndarray]


def array_of(value: Any, tensor: Tensor, where: str, convert: Converter) -> np.ndarray:
    """Return lists in JSON as an array of the tensor's type, [rows, width].

    Args:
      value: the lists; a single one if the tensor is that of a row.
      tensor: the tensor that receives them.
      where: the name for messages.
      convert: returns values for a tensor, given with it and `where`, as an array [values].

    Raises:
      RequestError: they do not fit; the message begins with `where`.
    """
    of_row = tensor.shape is not None and len(tensor.shape) == 1
    rows = [value] if of_row else value
    if type(rows) is not list:
        raise RequestError(f"{where}: {excerpt(value)}, expected a list for each row")
    for row in rows:
        if row is not None and type(row) is not list:
            raise RequestError(
                f"{where}: {excerpt(row)}, expected a list of values, or null if it is missing"
            )
    lists: list[Any] = [row or () for row in rows]
    lengths = np.array([len(each) for each in lists], np.int64)
    width = int(lengths.max(initial=1))
    if width > tensor.most:
        raise RequestError(f"{where}: a list of {width} values, expected at most {tensor.most}")
    _check_size(len(rows), width, where)
    known = convert(list(chain.from_iterable(lists)), tensor, where)
    absent = np.array([row is None for row in rows], bool)
    return list_matrices.of_lengths(known, lengths, absent)


def missing(rows: int, tensor: Tensor) -> np.ndarray:
    """Return the array of missing lists, [rows, 1]."""
    return list_matrices.padded(rows, 1, NUMPY_TYPES[tensor.dtype])


def inputs_of(signatures: Mapping[str, Signature]) -> frozenset[str]:
    """Return the names of the inputs that take lists."""
    return frozenset(
        name
        for signature in signatures.values()
        for name, tensor in signature.inputs.items()
        if tensor.most
    )


def stacked(arrays: Sequence[np.ndarray], where: str) -> np.ndarray:
    """Return arrays [rows, any width] one below the other, padded to the widest.

    Raises:
      RequestError: the result would be too large.
    """
    _check_size(sum(map(len, arrays)), max(array.shape[1] for array in arrays), where)
    return list_matrices.stacked(arrays)


def _check_size(rows: int, width: int, where: str) -> None:
    if rows * width > _MOST_ELEMENTS:
        raise RequestError(
            f"{where}: {rows} rows and a list of {width} values; their product may be at most"
            f" {_MOST_ELEMENTS:,}",
            TOO_LARGE,
        )
