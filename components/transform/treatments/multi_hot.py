"""`multi_hot`: a 0 or 1 for each frequent value of a column's lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import text
from components.transform import vocabularies
from components.transform.indicators import indicators, widest
from components.transform.known_terms import terms_by_column
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

_FILE_NAME = "multi_hot.txt"


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Indicate which values a list has; a missing list is flagged."""
    lists = [inputs[use.column] for use in uses]
    each = [text(ragged.flat_values) for ragged in lists]
    sizes = tf.stack([tf.size(values) for values in each])
    value, owner = tf.concat(each, axis=0), tf.repeat(tf.range(len(uses)), sizes)
    path = vocabularies.analyze_lists(value, owner, [use.options for use in uses], _FILE_NAME)
    term = vocabularies.lookup_lists(value, owner, path, len(uses)).id
    # One more column says whether a value is the one that represents a missing list.
    width = widest(uses)
    hot = tf.one_hot(tf.where(tf.equal(value, ""), tf.cast(width, tf.int64), term), width + 1)
    rows = [
        tf.minimum(tf.reduce_sum(ragged.with_flat_values(own), axis=1), 1.0)
        for ragged, own in zip(lists, tf.split(hot, sizes, num=len(uses)), strict=True)
    ]
    return indicators(uses, rows, tf.stack([own[:, width] > 0 for own in rows]))


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, values that have an indicator."""
    return terms_by_column(graph, _FILE_NAME, features)
