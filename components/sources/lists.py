"""Converts lists of a file or of JSON to those of a raw column, each value as strictly as alone.

A row's list is rejected if one of its values does not fit or is missing, or if it has more values
than the column may have. A missing list is not an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import list_arrays
from components.examples import arrow_type
from components.list_arrays import ListParts
from components.sources import typed
from components.sources.cells import Cells, convert
from components.sources.rejects import RejectReason
from components.sources.texts import trimmed, with_nulls
from schemas.columns import Column

EMPTY = "[]"  # the text of a list without values; a missing list is one of the null_values


def fits(arrow: pa.DataType, column: Column) -> bool:
    """Return whether values of an Arrow type can be the lists of a column.

    >>> tags = Column("tags", "BYTES", serving=True, most=3)
    >>> fits(pa.large_list(pa.string()), tags), fits(pa.string(), tags), fits(pa.null(), tags)
    (True, False, True)
    """
    if pa.types.is_null(arrow):
        return True
    return list_arrays.is_list(arrow) and typed.fits(arrow.value_type, column)


def of_arrow(
    array: pa.Array, column: Column, cleaned: Callable[[pa.Array], pa.Array] | None = None
) -> Cells | None:
    """Return lists of a Parquet file as those of a column.

    Args:
      array: the lists.
      column: the column.
      cleaned: what a source does to text before it is read: null where it means missing.

    Returns:
      Lists and reasons; None if the array's type does not fit.
    """
    if not fits(array.type, column):
        return None
    if pa.types.is_null(array.type):
        return Cells(pa.nulls(len(array), arrow_type(column)), np.zeros(len(array), np.uint8))
    lists = list_arrays.parts(array)
    read = typed.of_arrow(lists.values, column, cleaned)
    assert read is not None  # as the type fits
    return joined(lists, read, column)


def of_text(
    text: pa.Array,
    column: Column,
    separator: str,
    null_values: Sequence[str],
    *,
    trim: bool,
    read: Callable[[pa.Array, Column], Cells] = convert,
) -> Cells:
    """Return texts of values with a separator between them as the lists of a column.

    Args:
      text: the texts.
      column: the column.
      separator: what is between two values.
      null_values: texts that mean missing.
      trim: whether spaces around a value are dropped.
      read: converts the text of single values.

    >>> days = Column("days", "INT", serving=True, most=3)
    >>> of_text(pa.array(["1|2", "[]", None]), days, "|", ["", "?"], trim=False).values.to_pylist()
    [[1, 2], [], None]
    """
    empty = pc.equal(text, EMPTY).fill_null(False).to_numpy(zero_copy_only=False)
    lists = list_arrays.parts(pc.split_pattern(text, separator))
    values = lists.values.filter(pa.array(~empty[lists.rows]))
    lists = ListParts(values, np.where(empty, 0, lists.lengths), lists.missing)
    values = with_nulls(trimmed(values) if trim else values, null_values)
    return joined(lists, read(values, column), column)


def of_json(
    values: Sequence[Any],
    column: Column,
    cleaned: Callable[[pa.Array], pa.Array] | None = None,
) -> Cells:
    """Return values that JSON was parsed to as the lists of a column.

    Args:
      values: one a row; None is missing.
      column: the column.
      cleaned: what a source does to text before it is read: null where it means missing.

    >>> days = Column("days", "INT", serving=True, most=3)
    >>> of_json([[1, 2.0], [], None, 5, [None]], days).values.to_pylist()
    [[1, 2], [], None, None, None]
    """
    wrong = np.array([value is not None and type(value) is not list for value in values], bool)
    given = [value if type(value) is list else [] for value in values]
    flat = [value for each in given for value in each]
    lengths = np.array([len(each) for each in given], np.int64)
    missing = np.array([type(value) is not list for value in values], bool)
    read = typed.of_json(flat, column, cleaned)
    cells = joined(ListParts(read.values, lengths, missing), read, column)
    cells.reasons[wrong] = RejectReason.NOT_A_LIST
    return cells


def joined(lists: ListParts, read: Cells, column: Column) -> Cells:
    """Return lists of values that were read one by one; of a row's reasons the first one.

    Args:
      lists: the lists; their values are not used.
      read: their values, converted.
      column: the column.
    """
    missing = np.asarray(read.values.is_null())
    if column.type.is_text:  # the empty text is a missing value, as in a request
        missing |= pc.equal(read.values, "").fill_null(False).to_numpy(zero_copy_only=False)
    fitting = read.reasons == RejectReason.FITS
    found = np.where(fitting & missing, np.uint8(RejectReason.MISSING_IN_LIST), read.reasons)
    reasons = np.zeros(len(lists.lengths), np.uint8)
    bad = np.flatnonzero(found)[::-1]
    reasons[lists.rows[bad]] = found[bad]  # the last of equal places, which is the row's first
    reasons[lists.lengths > column.most] = RejectReason.LIST_TOO_LONG
    if not reasons.any():
        return Cells(lists._replace(values=read.values).to_array(), reasons)
    kept = pa.array(reasons[lists.rows] == RejectReason.FITS)
    unfit = reasons > 0
    rest = ListParts(
        read.values.filter(kept), np.where(unfit, 0, lists.lengths), lists.missing | unfit
    )
    return Cells(rest.to_array(), reasons)
