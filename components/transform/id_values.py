"""Columns → the values that `vocabulary` and `hash` number, and the weights of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import numbers, rounded, text
from components.transform.normalization import normalized
from components.transform.treatments.protocol import Use
from schemas.treatments.options import IdsOfValues

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs


def id_values(column: tf.Tensor, use: Use) -> tf.Tensor:
    """Return the values of a use's column as texts, "" where missing.

    Args:
      column: [rows]; or ragged [rows, None], of which the lists are cut as the options say.
      use: with the options of `IdsOfValues`.
    """
    options: IdsOfValues = use.options
    if not use.is_list:
        return normalized(text(column), options.normalize)
    lists = _cut(column, options)
    return lists.with_flat_values(normalized(text(lists.flat_values), options.normalize))


def id_weights(inputs: Inputs, use: Use, ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Return the weight of each id of lists, float32; 0 where it is missing or infinite.

    The id of a missing value has the weight 1.
    """
    lists = _cut(inputs[use.options.weights], use.options)
    value = numbers([lists.flat_values])[:, 0]
    known = tf.where(tf.math.is_finite(value), value, tf.zeros([], tf.float64))
    lengths = ids.row_lengths()
    width = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
    padded = lists.with_flat_values(known)[:, :width].to_tensor(shape=tf.stack([-1, width]))
    weights = tf.RaggedTensor.from_tensor(padded, lengths)
    is_missing = tf.equal(ids.flat_values, 0)
    return ids.with_flat_values(
        rounded(tf.where(is_missing, tf.ones([], tf.float64), weights.flat_values))
    )


def _cut(lists: tf.RaggedTensor, options: IdsOfValues) -> tf.RaggedTensor:
    if options.first:
        return lists[:, : options.first]
    return lists[:, -options.last :] if options.last else lists
