"""Applies a source's options to texts: trimming, and texts that mean missing."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.sources.cells import without
from schemas.columns import SPACES


def trimmed(texts: pa.Array) -> pa.Array:
    """Return texts without the spaces around them."""
    return pc.ascii_trim(texts, characters=SPACES)


def with_nulls(texts: pa.Array, null_values: Sequence[str]) -> pa.Array:
    """Return texts with null for those that mean missing.

    >>> with_nulls(pa.array(["a", "?", None]), ["?"]).to_pylist()
    ['a', None, None]
    """
    missing = pc.is_in(texts, value_set=pa.array(null_values, pa.string()))
    return without(texts, missing.to_numpy(zero_copy_only=False))


def cleaned(texts: pa.Array, null_values: Sequence[str], *, trim: bool) -> pa.Array:
    """Return texts as a source's options say: trimmed, and null where they mean missing."""
    return with_nulls(trimmed(texts) if trim else texts, null_values)


def with_bytes(kind: pa.DataType) -> pa.DataType:
    """Return an Arrow type with bytes for text, as which an array can be viewed.

    >>> with_bytes(pa.list_(pa.string()))
    ListType(list<item: binary>)
    """
    if pa.types.is_string(kind):
        return pa.binary()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, with_bytes(kind.value_type), kind.ordered)
    if pa.types.is_list(kind):
        return pa.list_(with_bytes(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(with_bytes(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(with_bytes(kind.value_type), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(with_bytes(field.type)) for field in kind])
    return kind
