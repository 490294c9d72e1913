"""`pretrained`: the mean of the given vectors of a text's words.

The graph has the vectors as a table in the order of the hashes of their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from components.column_tensors import by_name, rounded
from components.transform import vector_files
from components.transform.normalization import normalized
from components.transform.treatments.protocol import Use
from schemas.treatments.pretrained import Pretrained

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_HASHES = 2**62  # of so many, no two words are expected to have the same


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return means, shares of unknown words, and flags of missing texts."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        options: Pretrained = use.options
        text = inputs[use.column]
        means, unknown = _means(_words(text, options), *_table(options))
        missing = tf.cast(tf.equal(text, ""), tf.float64)
        values = [*tf.unstack(means, options.vectors.size, axis=1), unknown, missing]
        names = [feature.name for feature in options.outputs(use.columns, 0)]
        out |= by_name(names, rounded(tf.stack(values)))
    return out


def _words(text: tf.Tensor, options: Pretrained) -> tf.RaggedTensor:
    """Return the words of texts [rows], or each text as one, string [rows, None]."""
    if options.of == "words":
        steps = (*options.normalize, "whitespace")
        return tf.strings.split(normalized(text, steps, collapse=False))[:, : options.max_length]
    whole = normalized(text, options.normalize)
    lengths = tf.cast(tf.not_equal(whole, ""), tf.int64)
    return tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(whole, lengths > 0), lengths, validate=False
    )


def _table(options: Pretrained) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of words, ascending, int64 [words + 1], and as many vectors."""
    words, vectors = vector_files.read(options)
    with tf.init_scope():  # at once, and not in the graph that is traced
        hashes = _hashed(tf.constant(words, tf.string)).numpy()
    order = np.argsort(hashes, kind="stable")
    zeros = np.zeros((1, vectors.shape[1]), np.float32)
    # A hash greater than any other, so that every search ends within the table.
    return np.append(hashes[order], _HASHES), np.concatenate([vectors[order], zeros])


def _hashed(words: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(words, _HASHES)


def _means(
    words: tf.RaggedTensor, hashes: np.ndarray, vectors: np.ndarray
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the mean of the known words' vectors, and the share of others; 0 without words."""
    own = _hashed(words.flat_values)
    place = tf.searchsorted(hashes, own)
    known = tf.equal(tf.gather(hashes, place), own)
    row, rows = words.value_rowids(), words.nrows()
    counts = tf.math.unsorted_segment_sum(tf.cast(known, tf.float64), row, rows)
    # It adds up the vectors of a row one after the other, whatever the other rows are.
    sums = tf.sparse.segment_sum(
        vectors,
        tf.boolean_mask(place, known),
        tf.boolean_mask(row, known),
        num_segments=tf.cast(rows, tf.int32),
    )
    means = tf.math.divide_no_nan(tf.cast(sums, tf.float64), counts[:, tf.newaxis])
    every = tf.cast(words.row_lengths(), tf.float64)
    return means, tf.math.divide_no_nan(every - counts, every)
