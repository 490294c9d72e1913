"""`vocabulary`: the number of an exact value among those seen in training."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components import progress
from components.column_tensors import by_name, texts
from components.transform import label_vocabularies, vocabularies
from components.transform.id_values import id_values, id_weights
from components.transform.known_terms import some
from components.transform.normalization import normalized
from components.transform.treatments.protocol import Target, Use
from schemas.layout import TransformedFeature
from schemas.treatments.vocabulary import Vocabulary

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

_HASHES = 2**62  # a bucket is a hash's remainder: one hashing for columns of any number of buckets
_ASSETS = os.path.join("transform_fn", "assets")
# The files of columns of one value a row, and of lists.
_FILES = (vocabularies.FILE_NAME, vocabularies.LISTS_FILE_NAME)


def apply(inputs: Inputs, uses: Sequence[Use], *target: Target) -> Tensors:
    """Number training values from 1 in their order, then OOV buckets; missing is 0."""
    single, lists = _parted(uses)
    out: dict[str, tf.Tensor] = {}
    if single:
        out |= _of_values(inputs, single, target)
    if lists:
        out |= _of_lists(inputs, lists, target)
    return out


def _parted(uses: Sequence[Use]) -> tuple[list[Use], list[Use]]:
    """Return the uses of columns of one value a row, and of lists."""
    return [u for u in uses if not u.is_list], [u for u in uses if u.is_list]


def _of_values(
    inputs: Inputs, uses: Sequence[Use], target: Sequence[Target]
) -> dict[str, tf.Tensor]:
    options: list[Vocabulary] = [use.options for use in uses]
    value = texts([inputs[use.column] for use in uses])
    if any(each.normalize for each in options):
        rows = zip(tf.unstack(value, len(uses)), options, strict=True)
        value = tf.stack([normalized(row, each.normalize) for row, each in rows])
    path = _analyzed(value, options, target)
    term = vocabularies.lookup(value, path, len(uses))
    buckets = tf.constant([[o.oov_buckets] for o in options], tf.int64)
    return by_name((f"{use.column}_id" for use in uses), _numbers(value, term, buckets))


def _analyzed(
    value: tf.Tensor, options: Sequence[Vocabulary], target: Sequence[Target]
) -> tf.Tensor:
    """Return the path of the file of vocabularies, of values [columns, rows]."""
    if not any(each.takes_label for each in options):
        return vocabularies.analyze(value, options)
    (learned,) = target
    rows = tf.shape(value, tf.int64)[1]
    by_label = tf.repeat(tf.constant([each.takes_label for each in options]), rows)
    lines = tf.reshape(vocabularies.lines_of(value), [-1])
    row = tf.tile(tf.range(rows), [len(options)])
    return label_vocabularies.analyze(lines, row, by_label, learned.label, options)


def _analyzed_lists(
    value: tf.Tensor,
    owner: tf.Tensor,
    columns: Sequence[tf.RaggedTensor],
    options: Sequence[Vocabulary],
    target: Sequence[Target],
) -> tf.Tensor:
    """Return the path of the file of vocabularies of lists, whose columns own the values."""
    if not any(each.takes_label for each in options):
        return vocabularies.analyze_lists(value, owner, options)
    (learned,) = target
    by_label = tf.gather(tf.constant([each.takes_label for each in options]), owner)
    lines = vocabularies.lines_of_lists(value, owner, len(options))
    row = tf.cast(tf.concat([each.value_rowids() for each in columns], axis=0), tf.int64)
    name = vocabularies.LISTS_FILE_NAME
    return label_vocabularies.analyze(lines, row, by_label, learned.label, options, name)


def _of_lists(
    inputs: Inputs, uses: Sequence[Use], target: Sequence[Target]
) -> dict[str, tf.RaggedTensor]:
    """Number the values of all lists at once, each by its own column's terms."""
    options: list[Vocabulary] = [use.options for use in uses]
    columns = [id_values(inputs[use.column], use) for use in uses]
    each = [ragged.flat_values for ragged in columns]
    sizes = tf.stack([tf.size(values) for values in each])
    value, owner = tf.concat(each, axis=0), tf.repeat(tf.range(len(uses)), sizes)
    path = _analyzed_lists(value, owner, columns, options, target)
    term = vocabularies.lookup_lists(value, owner, path, len(uses))
    buckets = tf.gather(tf.constant([o.oov_buckets for o in options], tf.int64), owner)
    numbers = tf.split(_numbers(value, term, buckets), sizes, num=len(uses))
    out: dict[str, tf.RaggedTensor] = {}
    for use, ragged, own in zip(uses, columns, numbers, strict=True):
        ids = out[f"{use.column}_id"] = ragged.with_flat_values(own)
        if use.options.weights:
            out[f"{use.column}_id_weight"] = id_weights(inputs, use, ids)
    return out


def _numbers(value: tf.Tensor, term: vocabularies.Terms, buckets: tf.Tensor) -> tf.Tensor:
    """Return the ids of values that were looked up; `buckets` are their numbers of OOV buckets."""
    oov = term.size + tf.strings.to_hash_bucket_fast(value, _HASHES) % buckets
    number = tf.where(term.id >= 0, term.id, oov) + 1
    return tf.where(tf.equal(value, ""), tf.zeros([], tf.int64), number)


def learn(graph: str, uses: Sequence[Use]) -> list[int]:
    """Return the number of terms of each use, and report which terms were left out."""
    known: dict[Use, vocabularies.ColumnTerms] = {}
    for alike, name in zip(_parted(uses), _FILES, strict=True):
        known |= zip(alike, _read(graph, name, len(alike)), strict=True)
    for use in uses:
        left_out = known[use].left_out
        if left_out.terms:
            progress.note("transform", **{f"{progress.LEFT_OUT}{use.column}": left_out.words})
    return [len(known[use].terms) for use in uses]


def terms(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, tuple[str, ...]]:
    """Return the terms by column, in the order of their ids."""
    found: dict[str, tuple[str, ...]] = {}
    # Each file has its columns in the order of the layout.
    for is_list, name in zip((False, True), _FILES, strict=True):
        alike = [feature for feature in features if feature.is_list == is_list]
        for feature, each in zip(alike, _read(graph, name, len(alike)), strict=True):
            shown = tuple(term.decode(errors="replace") for term in each.terms)
            found[feature.columns[0]] = shown
    return found


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, some of the terms: the values beside them have other ids."""
    numbers = [feature for feature in features if feature.role != "weight"]
    known = terms(graph, numbers)
    return {name: some([term.encode() for term in own]) for name, own in known.items()}


def _read(graph: str, name: str, columns: int) -> list[vocabularies.ColumnTerms]:
    """Return what a file of the graph says of each of its columns; there is no file without any."""
    return vocabularies.read(os.path.join(graph, _ASSETS, name), columns) if columns else []
