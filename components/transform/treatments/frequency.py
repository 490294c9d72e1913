"""`frequency`: how many training rows have a value.

The graph holds the counts by the hashes of the values, so a text with a line break counts, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import by_name, rounded, texts
from components.transform import vocabularies
from components.transform.treatments.protocol import Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_HASHES = 2**62  # of so many, no two values are expected to have the same


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return shares and logarithms of counts; what is missing is 0 and flagged."""
    value = texts([inputs[use.column] for use in uses])
    missing = tf.equal(value, "")
    count = _counts(value, uses)
    known = tf.cast(tf.transpose(tf.logical_not(missing)), tf.float64)
    rows = tft.sum(known, reduce_instance_dims=False)[:, tf.newaxis]  # that have a value
    log = tf.math.divide_no_nan(tf.math.log1p(count), tf.math.log1p(rows))
    parts = {
        "": rounded(tf.math.divide_no_nan(count, rows)),
        "_log": rounded(log),
        "_missing": tf.cast(missing, tf.float32),
    }
    out: dict[str, tf.Tensor] = {}
    for suffix, part in parts.items():
        out |= by_name((f"{use.column}_frequency{suffix}" for use in uses), part)
    return out


def _counts(value: tf.Tensor, uses: Sequence[Use]) -> tf.Tensor:
    """Return how many training rows have each value, float64 [columns, rows]."""
    (found,) = tft.experimental.ptransform_analyzer(
        inputs=[*vocabularies.count_values(value)],
        ptransform=CountHashes([use.options for use in uses]),
        output_dtypes=[tf.int64],
        output_shapes=[[2, None]],
        name="frequencies",
    )
    hashes, counts = tf.unstack(found)
    own = _hashed(vocabularies.lines_of(value))
    place = tf.reshape(tf.searchsorted(hashes, tf.reshape(own, [-1])), tf.shape(own))
    is_known = tf.equal(tf.gather(hashes, place), own)
    return tf.cast(tf.where(is_known, tf.gather(counts, place), 0), tf.float64)


def _hashed(lines: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(lines, _HASHES)


class CountHashes(vocabularies.CountTerms):
    """The hashes of the terms' lines, ascending, and their counts, int64 [2, terms + 1].

    The last hash is greater than any other, and its count is 0.
    """

    def _write(
        self, _: None, tops: Mapping[int, list[tuple[int, bytes]]], folder: str
    ) -> np.ndarray:
        lines, counts = [], []
        for column, options in enumerate(self._options):
            for negative_count, term in tops.get(column, [])[: options.top_k]:
                lines.append(vocabularies.line_of(column, term))
                counts.append(-negative_count)
        hashes = _hashed(tf.constant(lines, tf.string)).numpy()
        order = np.argsort(hashes, kind="stable")
        found = np.array([hashes, counts], np.int64)[:, order]
        return np.concatenate([found, [[_HASHES], [0]]], axis=1)
