"""Rows of examples as serialised tf.Examples, for requests and proofs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.examples import as_lists, column, objects
from components.raw_values import requested
from schemas.columns import Column


def as_tf_examples(batch: pa.RecordBatch, columns: Iterable[Column]) -> list[bytes]:
    """Return each row as a serialised `tf.train.Example`; missing values are left out.

    The bytes are those of protobuf's deterministic serialisation. Use it for requests and proofs,
    but not between stages.
    """
    # tfx_bsl writes an empty feature for a missing value, and the features in random order. So it
    # encodes each column separately, without missing values; a row is its features joined.
    columns = sorted(columns, key=lambda c: c.name.encode())
    encoded = [_encoded_features(requested(column(batch, c.name), c), c.name) for c in columns]
    if not encoded:
        return [b""] * batch.num_rows
    return [_nested(b"".join(row)) for row in zip(*encoded, strict=True)]


def _encoded_features(array: pa.Array, name: str) -> np.ndarray:
    """Return, as objects [rows], the entry of the map of features; b"" if it is missing."""
    present = pa.RecordBatch.from_arrays([array.drop_null()], [name])
    examples = RecordBatchToExamplesEncoder().encode(as_lists(present))
    entries = np.full(len(array), b"", dtype=object)
    entries[np.asarray(array.is_valid())] = objects(
        [e[2:] if e[1] < 0x80 else e[_header_size(e) :] for e in examples]
    )
    return entries


def _header_size(message: bytes) -> int:
    """Return the number of bytes before the content of an Example: a tag and the length."""
    size = 2
    while message[size - 1] & 0x80:
        size += 1
    return size


def _nested(features: bytes) -> bytes:
    """Return an Example with these features; without features it has no bytes."""
    if not features:
        return b""
    length, left = bytearray(), len(features)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    return b"\n" + bytes([*length, left]) + features
