"""Converts a column of JSON values to the column's type: the one place that knows both ways.

`of_values` is exact, and has a reason for each value that does not fit. `of_arrow_json` converts
what pyarrow's JSON reader has parsed as `arrow_type`. A row with a reason is read again exactly, so
there it has one, too, where `of_values` may have another value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from components import list_arrays
from components.sources import lists
from components.sources.cells import Cells
from components.sources.json_fields import JsonField, NoObject, Repeated
from components.sources.rejects import RejectReason
from components.sources.texts import cleaned
from components.sources.typed import fits, of_arrow, of_json
from schemas.columns import LARGEST_INTEGER
from schemas.sources.options import SourceOptions

# By the Python type of JSON values, what pyarrow reads them as. Whole numbers are read as doubles,
# too: they may be written as 3.0, and those that doubles cannot hold are rejects.
_ARROW: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.float64(),
    float: pa.float64(),
    str: pa.string(),
}

_LARGEST_KEY = 1_024  # bits of a whole number that becomes text

_FAULTS: dict[type, RejectReason] = {
    Repeated: RejectReason.REPEATED_KEY,
    NoObject: RejectReason.NOT_AN_OBJECT,
}


def arrow_type(field: JsonField, seen: type) -> pa.DataType | None:
    """Return the type as which pyarrow reads a column's values; None if it is not to read them.

    Args:
      field: the column.
      seen: the type that most of the first values have, or the values in lists; NoneType if there
        are none.
    """
    column = field.column
    if _is_lenient(field) and seen is int:
        return None if column.is_list else pa.int64()
    arrow = _ARROW[seen if seen in column.type.json else column.type.json[-1]]
    if not fits(arrow, column):
        return None
    return pa.list_(arrow) if column.is_list else arrow


def of_arrow_json(array: pa.Array, field: JsonField, options: SourceOptions) -> Cells:
    """Convert what pyarrow parsed; a value that is not certain has some reason, too."""
    if not field.column.is_list:
        return _of_single(array, field, options)
    parts = list_arrays.parts(array)
    return lists.joined(parts, _of_single(parts.values, field, options), field.column)


def _of_single(array: pa.Array, field: JsonField, options: SourceOptions) -> Cells:
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    elif pa.types.is_boolean(array.type):
        array = _fitting(array, field).values  # 0 and 1, or the two texts, which may mean missing
    values, reasons = _fitting(array, field, _cleaned(field, options))
    if pa.types.is_floating(array.type):
        numbers = array.fill_null(1).to_numpy()
        if field.column.type.is_whole:
            uncertain = ~(np.abs(numbers) < LARGEST_INTEGER)  # NaN; 2^53, which may be 2^53 + 1
        else:
            uncertain = (numbers == 0) & np.signbit(numbers)  # -0 is 0.0, and -0.0 is not
        reasons[uncertain & (reasons == 0)] = RejectReason.NOT_A_NUMBER
    return Cells(values, reasons)


def of_values(values: Sequence[Any], field: JsonField, options: SourceOptions) -> Cells:
    """Convert what `find` returned for each record."""
    if _is_lenient(field):
        values = [_as_text(value) for value in values]
    faults = [_FAULTS.get(type(value), RejectReason.FITS) for value in values]
    plain = [None if fault else v for v, fault in zip(values, faults, strict=True)]
    read = lists.of_json if field.column.is_list else of_json
    cells = read(plain, field.column, _cleaned(field, options))
    return Cells(cells.values, np.where(faults, faults, cells.reasons).astype(np.uint8))


def _fitting(
    array: pa.Array, field: JsonField, cleaned: Callable[[pa.Array], pa.Array] | None = None
) -> Cells:
    cells = of_arrow(array, field.column, cleaned)  # of the values in lists, too
    assert cells is not None  # `arrow_type` returns types that fit
    return cells


def _cleaned(field: JsonField, options: SourceOptions) -> Callable[[pa.Array], pa.Array] | None:
    """Return what is done to a column's text; a key stays as it is."""
    if field.is_key:
        return None
    nulls = options.nulls_of(field.column.name)
    return lambda texts: cleaned(texts, nulls, trim=options.trim)


def _is_lenient(field: JsonField) -> bool:
    """Return whether numbers and truth values count as text: in a key, which is only passed on."""
    return field.is_key and field.column.type.json == (str,) and field.column.type.is_text


def _as_text(value: Any) -> Any:
    """Return a key's number or truth value as its text."""
    if isinstance(value, int) and value.bit_length() > _LARGEST_KEY:
        return value  # which is not text
    return json.dumps(value) if isinstance(value, (bool, int, float)) else value
