"""`bag_of_words`: the n-grams of a text, weighted by TF-IDF or by how often they occur."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.analyzer_nodes import TemporaryAssetInfo, TensorInfo
from tensorflow_transform.experimental.analyzers import _apply_analyzer

from components import files
from components.column_tensors import rounded
from components.transform import vocabularies
from components.transform.constants import columns_of
from components.transform.known_terms import some
from components.transform.normalization import normalized
from components.transform.treatments.protocol import Use
from schemas.errors import DataError
from schemas.layout import TransformedFeature
from schemas.treatments.bag_of_words import BagOfWords

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

FILE_NAME = "ngrams.txt"
_OUTPUTS = (
    TensorInfo(tf.string, [], TemporaryAssetInfo(b"placeholder", "text")),
    TensorInfo(tf.int64, [None], None),
)
_ASSETS = os.path.join("transform_fn", "assets")
_LONG = 50  # times that a text to try has the same words: more words than `max_length`


class _Numbered(NamedTuple):
    """The n-grams of a column's texts: `id` int64 [n-grams], -1 if unknown; `idf` float64."""

    id: tf.Tensor
    idf: tf.Tensor | None


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Number n-grams from 1; a missing text is 0, with the weight 1."""
    columns = [inputs[use.column] for use in uses]
    ngrams = list(_ngrams(columns, [use.options for use in uses]))
    learned = [i for i, use in enumerate(uses) if use.options.hash_buckets is None]
    numbered = dict(zip(learned, _learned(columns, ngrams, uses, learned), strict=True))
    out: dict[str, tf.Tensor] = {}
    for i, use in enumerate(uses):
        own = numbered.get(i) or _hashed(ngrams[i].flat_values, use.options)
        missing = tf.equal(columns[i], "")
        if use.options.is_weighted:
            ids, weights = _weighted(own, ngrams[i], use.options.top_k)
            out[f"{use.column}_{use.kind}_weight"] = _with_missing(weights, missing, 1.0)
        else:
            ids = tf.ragged.boolean_mask(
                ngrams[i].with_flat_values(own.id), ngrams[i].with_flat_values(own.id >= 0)
            )
        out[f"{use.column}_{use.kind}"] = _with_missing(ids + 1, missing, 0)
    return out


def _ngrams(
    columns: Sequence[tf.Tensor], options: Sequence[BagOfWords]
) -> Iterator[tf.RaggedTensor]:
    """Yield the n-grams of each column's texts, string [rows, None]."""
    rewritten: dict[int, tf.Tensor] = {}
    for steps, unit in sorted({(each.normalize, each.analyzer) for each in options}):
        alike = [i for i, o in enumerate(options) if (o.normalize, o.analyzer) == (steps, unit)]
        stacked = tf.stack([columns[i] for i in alike])
        texts = normalized(stacked, (*steps, "whitespace"), collapse=unit == "char")
        rewritten |= zip(alike, tf.unstack(texts, len(alike)), strict=True)
    for i, each in enumerate(options):
        of_words = each.analyzer == "word"
        split = tf.strings.split if of_words else tf.strings.unicode_split
        parts = split(rewritten[i]) if of_words else split(rewritten[i], "UTF-8")
        shortest, longest = each.ngram_range
        yield tf.strings.ngrams(
            parts[:, : each.max_length],
            tuple(range(shortest, longest + 1)),
            separator=" " if of_words else "",
        )


def _hashed(ngrams: tf.Tensor, options: BagOfWords) -> _Numbered:
    return _Numbered(tf.strings.to_hash_bucket_fast(ngrams, options.hash_buckets), None)


def _learned(
    columns: Sequence[tf.Tensor],
    ngrams: Sequence[tf.RaggedTensor],
    uses: Sequence[Use],
    learned: Sequence[int],
) -> list[_Numbered]:
    """Number the n-grams of those columns that learn them, by one analyzer and one look-up."""
    if not learned:
        return []
    every = [ngrams[i] for i in learned]
    sizes = tf.stack([tf.size(each.flat_values) for each in every])
    value = tf.concat([each.flat_values for each in every], axis=0)
    owner = tf.repeat(tf.range(len(learned)), sizes)
    # TFT's `ptransform_analyzer` takes all outputs for files, or none.
    with tf.name_scope("ngrams"):
        path, counts = _apply_analyzer(
            CountTexts([uses[i].options for i in learned], FILE_NAME),
            *_count_texts(value, owner, every),
            output_tensor_info_list=_OUTPUTS,
        )
    term = vocabularies.lookup_lists(value, owner, path, len(learned))
    known = [tf.not_equal(columns[i], "") for i in learned]
    texts = tft.sum(tf.cast(tf.stack(known, axis=1), tf.int64), reduce_instance_dims=False)
    # ln((1 + texts) / (1 + texts with the n-gram)) + 1, as in scikit-learn's TfidfTransformer.
    found = tf.gather(counts, tf.maximum(term.line, 0))
    ratio = (1 + tf.gather(texts, owner)) / (1 + found)
    parts = (tf.split(each, sizes, num=len(learned)) for each in (term.id, tf.math.log(ratio) + 1))
    return [_Numbered(*each) for each in zip(*parts, strict=True)]


def _count_texts(
    value: tf.Tensor, owner: tf.Tensor, ngrams: Sequence[tf.RaggedTensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return distinct n-grams as lines of the file, and how many texts have each, int64."""
    distinct = tf.unique(vocabularies.lines_of_lists(value, owner, len(ngrams)), tf.int64)
    row = tf.concat([each.value_rowids() for each in ngrams], axis=0)
    size = tf.maximum(tf.size(distinct.y, tf.int64), 1)
    of_text = tf.unique(row * size + distinct.idx).y  # n-grams of other columns are other lines
    counts = tf.math.unsorted_segment_sum(
        tf.ones_like(of_text), of_text % size, tf.size(distinct.y)
    )
    return distinct.y, counts


def _weighted(
    ngrams: _Numbered, texts: tf.RaggedTensor, top_k: int
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Return each text's known n-grams once, and their weights, whose squares add up to 1."""
    known = ngrams.id >= 0
    row, number = tf.boolean_mask(texts.value_rowids(), known), tf.boolean_mask(ngrams.id, known)
    distinct = tf.unique(row * top_k + number)
    weight = tf.math.unsorted_segment_sum(
        tf.boolean_mask(ngrams.idf, known), distinct.idx, tf.size(distinct.y)
    )
    row, rows = distinct.y // top_k, texts.nrows()
    norm = tf.sqrt(tf.math.unsorted_segment_sum(weight * weight, row, rows))
    ids, weights = (
        tf.RaggedTensor.from_value_rowids(values, row, rows, validate=False)
        for values in (distinct.y % top_k, rounded(weight / tf.gather(norm, row)))
    )
    return ids, weights


def _with_missing(lists: tf.RaggedTensor, missing: tf.Tensor, value: float) -> tf.RaggedTensor:
    """Return the lists, in which one value represents a missing text."""
    lengths = tf.cast(missing, tf.int64)
    values = tf.fill([tf.reduce_sum(lengths)], tf.cast(value, lists.dtype))
    return tf.concat(
        [lists, tf.RaggedTensor.from_row_lengths(values, lengths, validate=False)], axis=1
    )


def learn(graph: str, uses: Sequence[Use]) -> list[int]:
    """Return the number of n-grams that each use has learnt.

    Raises:
      DataError: a use has learnt none.
    """
    learned = [use for use in uses if use.options.hash_buckets is None]
    path = os.path.join(graph, _ASSETS, FILE_NAME)
    read = vocabularies.read(path, len(learned)) if learned else []
    sizes = {use: len(each.terms) for use, each in zip(learned, read, strict=True)}
    for use, size in sizes.items():
        if not size:
            raise DataError(
                f"no n-gram of {use.column!r} occurs in {use.options.min_count} rows of training",
                where=f"pipeline.yaml: features.{use.column}.{use.kind}",
                remedy="lower min_count, normalize less, or drop the treatment",
            )
    return [sizes.get(use, 0) for use in uses]


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, texts of n-grams that are known, of some column, and of an unknown one."""
    path = os.path.join(graph, _ASSETS, FILE_NAME)
    lines = files.read_bytes(path).split(b"\n") if files.exists(path) else []
    known = [term for _, _, term in (line.partition(b"\t") for line in lines) if term]
    chosen = [term for term in some(known) if isinstance(term, bytes)]
    together = [b" ".join(chosen), b" ".join([*chosen[::-1], b"never seen"])]
    long = b" ".join((chosen or [b"word"]) * _LONG)
    return {name: [*chosen, *together, long] for name in columns_of(features)}


class CountTexts(vocabularies.CountTerms):
    """Write the n-grams of most texts to a file; return its path, and each line's texts, int64."""

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[beam.PCollection[str], beam.PCollection[np.ndarray]]:
        """Return the path of the file, and how many texts have the n-gram of each line."""
        written = super().expand(batches)
        return (
            written | "Path" >> beam.Map(operator.itemgetter(0)),
            written | "Counts" >> beam.Map(operator.itemgetter(1)),
        )

    def _write(
        self, _: None, tops: Mapping[int, list[tuple[int, bytes]]], folder: str
    ) -> tuple[str, np.ndarray]:
        counts = [count for _, count in self._counted_lines(tops)]
        return super()._write(None, tops, folder), np.array(counts, np.int64)
