"""`vocabulary`: the number of an exact value among those seen in training."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components import progress
from components.column_tensors import by_name, texts
from components.transform import vocabularies
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.vocabulary import Vocabulary

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_HASHES = 2**62  # a bucket is a hash's remainder: one hashing for columns of any number of buckets
_ASSETS = os.path.join("transform_fn", "assets", vocabularies.FILE_NAME)


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number training values from 1 by falling count, then OOV buckets; missing is 0."""
    value = texts([inputs[use.column] for use in uses])
    options: list[Vocabulary] = [use.options for use in uses]
    path = vocabularies.analyze(value, options)
    term = vocabularies.lookup(value, path, len(uses))
    buckets = tf.constant([[o.oov_buckets] for o in options], tf.int64)
    oov = term.size + tf.strings.to_hash_bucket_fast(value, _HASHES) % buckets
    number = tf.where(term.id >= 0, term.id, oov) + 1
    number = tf.where(tf.equal(value, ""), tf.zeros([], tf.int64), number)
    return by_name((f"{use.column}_id" for use in uses), number)


def learn(graph: str, uses: Sequence[Use]) -> list[int]:
    """Return the number of terms of each use, and report which terms were left out."""
    known = vocabularies.read(os.path.join(graph, _ASSETS), len(uses))
    for use, (_, left_out) in zip(uses, known, strict=True):
        if left_out.terms:
            progress.note("transform", **{f"{progress.LEFT_OUT}{use.column}": left_out.words})
    return [len(terms) for terms, _ in known]


def terms(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, tuple[str, ...]]:
    """Return the terms by column, the most frequent in training first."""
    # The file has the columns in the order of the layout.
    known = vocabularies.read(os.path.join(graph, _ASSETS), len(features))
    return {
        feature.columns[0]: tuple(term.decode(errors="replace") for term in each.terms)
        for feature, each in zip(features, known, strict=True)
    }
