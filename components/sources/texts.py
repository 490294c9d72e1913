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
