"""Converts the values of a feature of tf.Examples to those of a raw column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from components import list_arrays
from components.example_proto import Values
from components.examples import ARROW_TYPES, arrow_type
from components.list_arrays import ListParts
from components.sources import lists, typed
from components.sources.cells import Cells
from components.sources.rejects import RejectReason
from components.sources.typed import WRONG_TYPE
from schemas.columns import Column

Cleaned = Callable[[pa.Array], pa.Array]
_ARROW = {"DT_INT64": pa.int64(), "DT_FLOAT": pa.float32(), "DT_STRING": pa.binary()}


def of_lists(array: pa.Array, column: Column, cleaned: Cleaned | None, *, lenient: bool) -> Cells:
    """Return a feature's values in each Example as a column of a table.

    Args:
      array: a list for each row, null if the feature is absent or has no type.
      column: the column.
      cleaned: what a source does to text before it is read.
      lenient: whether numbers count as text: in a key, which is only passed on.
    """
    parts = list_arrays.parts(array)
    if lenient and parts.values.type in (pa.int64(), pa.float32()):
        parts = parts._replace(values=parts.values.cast(pa.string()))
    wrong = np.uint8(WRONG_TYPE[column.kind])
    if column.is_list:
        if typed.fits(parts.values.type, column):
            read = lists.of_arrow(array, column, cleaned)
            assert read is not None  # the type fits
            return read
        unfit = parts.lengths > 0
        none = pa.nulls(0, ARROW_TYPES[column.kind])
        rest = ListParts(none, np.zeros_like(parts.lengths), parts.missing | unfit)
        return Cells(rest.to_array(), np.where(unfit, wrong, np.uint8(0)))
    starts = np.cumsum(parts.lengths) - parts.lengths
    single = parts.values.take(pa.array(starts, mask=parts.lengths != 1))
    cells = typed.of_arrow(single, column, cleaned)
    if cells is None:
        reasons = np.where(parts.lengths == 1, wrong, np.uint8(0))
        cells = Cells(pa.nulls(len(array), ARROW_TYPES[column.kind]), reasons)
    several = np.uint8(RejectReason.SEVERAL_VALUES)
    return Cells(cells.values, np.where(parts.lengths > 1, several, cells.reasons))


def of_features(
    features: Sequence[Values | None], column: Column, cleaned: Cleaned | None, *, lenient: bool
) -> Cells:
    """Return a feature of each Example as a column of a table, whatever type it has in each.

    Args:
      features: the feature in each, None where it is absent.
      column: as in `of_lists`, like the next ones.
      cleaned: the same.
      lenient: the same.
    """
    found: list[np.ndarray] = [np.zeros(0, np.int64)]
    cells = [Cells(pa.nulls(0, arrow_type(column)), np.zeros(0, np.uint8))]
    for dtype in ("", *_ARROW):
        rows = [i for i, f in enumerate(features) if (f.dtype if f else "") == dtype]
        values = [f.values if (f := features[row]) and dtype else None for row in rows]
        array = pa.array(
            [None if v is None else list(v) for v in values],
            pa.list_(_ARROW.get(dtype, pa.null())),
        )
        found.append(np.array(rows, np.int64))
        cells.append(of_lists(array, column, cleaned, lenient=lenient))
    order = np.argsort(np.concatenate(found))
    arrays = pa.concat_arrays([each.values for each in cells])
    return Cells(
        arrays.take(pa.array(order)), np.concatenate([each.reasons for each in cells])[order]
    )
