"""Columns of lists: as Arrow arrays, and as the matrices that carry them in requests.

Examples hold a list column as an Arrow list, null if missing. A list has no null within. A request
holds it as a matrix: see `list_matrices`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import list_matrices
from schemas.columns import Column


class ListParts(NamedTuple):
    """A column of lists in parts.

    Attributes:
      values: the values of all lists one after the other.
      lengths: int64 of shape [rows], 0 for a missing list.
      missing: bool of shape [rows].
    """

    values: pa.Array
    lengths: np.ndarray
    missing: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The row of each value, int64 of shape [values]."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def to_array(self) -> pa.ListArray:
        """Return the lists as an Arrow array."""
        ends = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int32)
        # a null offset gives a null list; the last offset ends the values
        mask = np.append(self.missing, False) if self.missing.any() else None
        return pa.ListArray.from_arrays(pa.array(ends, mask=mask), self.values)


def is_list(arrow: pa.DataType) -> bool:
    """Return whether an Arrow type is one of lists that `parts` takes."""
    return (
        pa.types.is_list(arrow)
        or pa.types.is_large_list(arrow)
        or pa.types.is_fixed_size_list(arrow)
    )


def parts(array: pa.Array) -> ListParts:
    """Return an array of lists in parts.

    >>> parts(pa.array([[1, 2], [], None])).lengths.tolist()
    [2, 0, 0]
    """
    missing = np.asarray(array.is_null())
    if pa.types.is_fixed_size_list(array.type):
        lengths = np.where(missing, 0, array.type.list_size)
    else:
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    return ListParts(array.flatten(), lengths.astype(np.int64), missing)


def as_bytes(array: pa.Array) -> pa.Array:
    """Return lists of texts as lists of bytes, and other lists unchanged."""
    if not pa.types.is_string(array.type.value_type):
        return array
    return array.cast(pa.list_(pa.binary()))


def without_missing(array: pa.Array, raw: Column) -> pa.Array:
    """Return lists as the transform graph takes them: a missing one has only the stand-in.

    >>> tags = Column("tags", "BYTES", serving=True, most=3)
    >>> without_missing(pa.array([["a", "b"], [], None]), tags).to_pylist()
    [[b'a', b'b'], [], [b'']]
    """
    array = as_bytes(array)
    if not array.null_count:
        return array
    values, lengths, missing = parts(array)
    stand_in = pa.array([raw.type.missing], values.type)
    at = np.insert(np.arange(len(values)), np.cumsum(lengths)[missing], len(values))
    filled = pa.concat_arrays([values, stand_in]).take(pa.array(at))
    return ListParts(filled, lengths + missing, np.zeros(len(array), bool)).to_array()


def as_matrix(array: pa.Array, raw: Column) -> np.ndarray:
    """Return lists as a request's input: of the type's `request`, [rows, width], width at least 1.

    >>> array = pa.array([[1, 2], [], None], pa.list_(pa.int64()))
    >>> as_matrix(array, Column("days", "INT", serving=True, most=3)).tolist()
    [[1.0, 2.0], [inf, nan], [nan, nan]]
    """
    values, lengths, missing = parts(array)
    if raw.type.is_requested_as_text:
        flat = np.asarray(values.cast(pa.binary()), dtype=object)
    else:
        flat = values.to_numpy(zero_copy_only=False).astype(raw.type.request)
    return list_matrices.of_lengths(flat, lengths, missing)


def of_matrix(matrix: np.ndarray, raw: Column) -> pa.Array:
    """Return the lists of a request's input, as requests carry their values.

    It is the reverse of `as_matrix`, except that integers are integers.

    Args:
      matrix: as `as_matrix` returns it; texts as bytes.
      raw: the column.

    Raises:
      ValueError: a list has a missing value within, or more values than the column may have.
    """
    known = list_matrices.known(matrix)
    if list_matrices.gaps(matrix).any():
        raise ValueError(f"a list of {raw.name!r} has a missing value within")
    lengths = known.sum(axis=1)
    if (lengths > raw.most).any():
        raise ValueError(f"a list of {raw.name!r} has more than {raw.most:,} values")
    values = matrix[known]
    if raw.type.is_requested_as_text:
        flat = pa.array([v.decode(errors="replace") for v in values.tolist()], pa.string())
    else:
        flat = pa.array(values.astype(raw.type.tensor))
    return ListParts(flat, lengths, list_matrices.missing(matrix)).to_array()
