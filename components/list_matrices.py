"""The matrices [rows, width] that carry lists in requests; the module needs only numpy.

A list's values come first. A matrix of texts, which are objects of bytes, is padded by "", and a
matrix of numbers by NaN. A missing list is padding alone; one without values starts with NUL, or
with infinity. `schemas.types` has the same values by type.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MISSING_TEXT, EMPTY_TEXT = b"", b"\0"
MISSING_NUMBER, EMPTY_NUMBER = float("nan"), float("inf")


def known(matrix: np.ndarray) -> np.ndarray:
    """Return which elements are values of lists, bool [rows, width]."""
    return ~(_is_padding(matrix) | _is_empty(matrix))


def missing(matrix: np.ndarray) -> np.ndarray:
    """Return which lists are missing, bool [rows]; without columns, all are empty."""
    return np.asarray(_is_padding(matrix[:, :1]).any(axis=1))


def gaps(matrix: np.ndarray) -> np.ndarray:
    """Return which rows have values behind padding, or another one for empty, bool [rows]."""
    values = known(matrix)
    behind = values[:, 1:] & ~values[:, :-1]
    return np.asarray((behind | _is_empty(matrix[:, 1:])).any(axis=1))


def of_lengths(
    values: np.ndarray, lengths: np.ndarray, is_missing: np.ndarray, *, width: int = 1
) -> np.ndarray:
    """Return the matrix of lists.

    Args:
      values: those of all lists one after the other, of the matrix's type.
      lengths: of each list, int [rows].
      is_missing: which lists are missing, bool [rows].
      width: the least width.
    """
    matrix = padded(len(lengths), max(width, int(lengths.max(initial=0))), values.dtype)
    matrix[np.arange(matrix.shape[1]) < lengths[:, np.newaxis]] = values
    if matrix.shape[1]:
        empty = EMPTY_TEXT if matrix.dtype == object else EMPTY_NUMBER
        matrix[(lengths == 0) & ~is_missing, 0] = empty
    return matrix


def padded(rows: int, width: int, dtype: np.dtype | type) -> np.ndarray:
    """Return a matrix of padding alone."""
    matrix = np.empty((rows, width), dtype)
    matrix[...] = MISSING_TEXT if matrix.dtype == object else MISSING_NUMBER
    return matrix


def stacked(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Return matrices one below the other, padded to the widest."""
    width = max(matrix.shape[1] for matrix in matrices)
    joined = padded(sum(map(len, matrices)), width, matrices[0].dtype)
    start = 0
    for matrix in matrices:
        rows = slice(start, start + len(matrix))
        if width and not matrix.shape[1]:  # a matrix without columns has only empty lists
            joined[rows, 0] = EMPTY_TEXT if joined.dtype == object else EMPTY_NUMBER
        joined[rows, : matrix.shape[1]] = matrix
        start = rows.stop
    return joined


def _is_padding(matrix: np.ndarray) -> np.ndarray:
    if matrix.dtype != object:
        return np.isnan(matrix)
    return _equal(matrix, MISSING_TEXT)


def _is_empty(matrix: np.ndarray) -> np.ndarray:
    if matrix.dtype != object:
        return np.asarray(matrix == EMPTY_NUMBER)
    return _equal(matrix, EMPTY_TEXT)


def _equal(matrix: np.ndarray, text: bytes) -> np.ndarray:
    """Return where objects are these bytes; bytes of numpy would have no NUL at the end."""
    held = np.empty((), object)
    held[()] = text
    return np.asarray(matrix == held, bool)
