"""`hash`: the number of a value by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.transform.id_values import id_values, id_weights
from components.transform.treatments.protocol import Use
from schemas.treatments.hash import HashBuckets

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_HASHES = 2**62  # a bucket is a hash's remainder: one hashing for columns of any number of buckets


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number the buckets from 1; missing is 0."""
    options: list[HashBuckets] = [use.options for use in uses]
    columns = [id_values(inputs[use.column], use) for use in uses]
    # All values of all columns one after the other, those of lists, too.
    flat = [c.flat_values if u.is_list else c for c, u in zip(columns, uses, strict=True)]
    sizes = tf.stack([tf.size(values) for values in flat])
    value = tf.concat(flat, axis=0)
    salts = tf.repeat(tf.constant([o.salt for o in options]), sizes)
    buckets = tf.repeat(tf.constant([o.buckets for o in options], tf.int64), sizes)
    hashed = tf.strings.to_hash_bucket_fast(tf.strings.join([salts, value]), _HASHES)
    number = tf.where(tf.equal(value, ""), tf.zeros([], tf.int64), hashed % buckets + 1)
    numbers = tf.split(number, sizes, num=len(uses))
    out: dict[str, tf.Tensor] = {}
    for use, column, own in zip(uses, columns, numbers, strict=True):
        ids = out[f"{use.column}_hash"] = column.with_flat_values(own) if use.is_list else own
        if use.options.weights:
            out[f"{use.column}_hash_weight"] = id_weights(inputs, use, ids)
    return out
