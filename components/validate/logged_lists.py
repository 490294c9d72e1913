"""A logged request's lists, by row: None if a list is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from components import list_arrays, list_matrices, request_values
from schemas.columns import LARGEST_INTEGER, Column

_MOST_ROWS = 1 << 24  # of a tensor, which need not have a value


class UnreadableError(Exception):
    """A record, or a row of one, holds what no column can."""


def of_matrix(values: Sequence[Any], shape: Sequence[int], column: Column) -> list[Any]:
    """Return the lists of a dense input.

    Args:
      values: its elements, of a type that the column's requests have.
      shape: its sizes.
      column: the column.

    Raises:
      UnreadableError: it holds no lists of the column.
    """
    if len(shape) != 2 or not 0 <= shape[0] <= _MOST_ROWS:
        raise UnreadableError(f"a tensor of shape {list(shape)} for {column.name!r}")
    if column.type.is_requested_as_text:
        matrix = np.empty(len(values), object)
        matrix[:] = values
    else:
        matrix = np.array(values, np.float64)
        _check_whole(matrix[list_matrices.known(matrix)], column)
    check(matrix[list_matrices.known(matrix)].tolist(), column)
    try:
        return list_arrays.of_matrix(matrix.reshape(tuple(shape)), column).to_pylist()
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def of_feature(feature: Any, column: Column) -> list[Any] | None:
    """Return the list of a tf.Example's feature.

    Raises:
      UnreadableError: it is not a list of the column.
    """
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    values = list(getattr(feature, kind).value)
    if kind != column.type.feature or len(values) > column.most:
        raise UnreadableError(f"{len(values)} values of {kind} for {column.name!r}")
    check(values, column)
    if column.type.is_requested_as_text:
        if b"" in values:
            raise UnreadableError(f"a list of {column.name!r} has a missing value within")
        return [value.decode(errors="replace") for value in values]
    numbers = np.array(values, np.float64)
    if not np.isfinite(numbers).all():
        raise UnreadableError(f"a list of {column.name!r} has a missing value within")
    _check_whole(numbers, column)
    return values


def check(values: Sequence[Any], column: Column) -> None:
    """Refuse values that are not booleans or times, as a graph does.

    Raises:
      UnreadableError: one of them is not.
    """
    if not column.type.is_read:
        return
    wrong = request_values.first_wrong(values, column)
    if wrong is not None:
        raise UnreadableError(f"the value {values[wrong]!r} for {column.name!r}")


def _check_whole(numbers: np.ndarray, column: Column) -> None:
    whole = (numbers == np.floor(numbers)) & (np.abs(numbers) <= LARGEST_INTEGER)
    if column.type.is_whole and not whole.all():
        raise UnreadableError(f"values that are not integers for {column.name!r}")
