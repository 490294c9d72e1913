"""Values as examples hold them → values as requests carry them, a column at a time.

This is the one place that knows the difference, for all serving paths: an Arrow array of examples
in, an Arrow array of the same length out, null where missing. The values in lists change as values
by themselves do.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from components import list_arrays
from components.times import format_of, unit_of, write_texts
from schemas.columns import Column
from schemas.types import FLOAT_TEXT, TIME, TIME_TEXT


def requested(array: pa.Array, column: Column) -> pa.Array:
    """Return a column of examples as a request's column.

    A time becomes a whole number in its unit, or text in its format; a float64 its shortest text
    that parses to it. Other types are held alike.

    >>> day = Column("day", "TIME", serving=True, form=("UNIX_DAYS",))
    >>> requested(pa.array([0, None, 2 * 86_400_000_000]), day).to_pylist()
    [0, None, 2]
    """
    if column.is_list and column.type in (TIME, TIME_TEXT):
        lists = list_arrays.parts(array)
        return lists._replace(values=_requested(lists.values, column)).to_array()
    return _requested(array, column)


def _requested(array: pa.Array, column: Column) -> pa.Array:
    if column.type is FLOAT_TEXT:
        return array.cast(pa.string())
    if column.type not in (TIME, TIME_TEXT):
        return array
    missing = np.asarray(array.is_null())
    times = array.fill_null(0).to_numpy(zero_copy_only=False)
    if column.type is TIME:
        return pa.array(times // unit_of(column), mask=missing)
    texts = write_texts(times, format_of(*column.form))
    return texts.take(pa.array(np.arange(len(texts)), mask=missing)) if missing.any() else texts


def requested_batch(batch: pa.RecordBatch, columns: Iterable[Column]) -> pa.RecordBatch:
    """Return columns of examples, in the order of the batch, as those of requests."""
    arrays = [requested(array, c) for array, c in zip(batch.columns, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)
