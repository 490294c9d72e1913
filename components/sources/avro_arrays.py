"""Decoded Avro values → Arrow arrays of a column's type."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

_EXACT = decimal.Context(prec=100)


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values, as they are stored in Avro, as an array; None is null.

    >>> array_of([1_500, None], pa.timestamp("ms")).to_pylist()[0].isoformat()
    '1970-01-01T00:00:01.500000'
    """
    if pa.types.is_list(kind):
        return _lists(values, kind)
    if pa.types.is_decimal(kind):
        return pa.array([_decimal(value, kind.scale) for value in values], kind)
    if pa.types.is_temporal(kind):
        stored = pa.int32() if kind.bit_width == 32 else pa.int64()
        return pa.array(values, stored).view(kind)
    if pa.types.is_string(kind):
        return _texts(values)
    return pa.array(values, kind)


def _texts(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # of bytes that are not UTF-8, which are a matter of their rows
        stored = [v if v is None else v.encode("utf-8", "surrogateescape") for v in values]
        return pa.array(stored, pa.binary()).view(pa.string())


def _decimal(stored: bytes | None, scale: int) -> decimal.Decimal | None:
    if stored is None:
        return None
    unscaled = int.from_bytes(stored, "big", signed=True)
    return decimal.Decimal(unscaled).scaleb(-scale, _EXACT)


def _lists(values: Sequence[Sequence[Any] | None], kind: pa.DataType) -> pa.Array:
    offsets: list[int | None] = []
    flat: list[Any] = []
    for each in values:
        offsets.append(None if each is None else len(flat))
        flat.extend(each or ())
    offsets.append(len(flat))
    elements = array_of(flat, kind.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), elements).cast(kind)
