"""`vector`: the numbers of a list of fixed length, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, numbers, rounded
from components.transform.scaling import standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.vector import Vector

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Scale each place of the lists; what is missing is 0, and a list without values is flagged."""
    options: dict[str, Vector] = {use.column: use.options for use in uses}
    # Those to standardize first: they are one matrix for one analyzer.
    columns = sorted(options, key=lambda column: not options[column].standardize)
    values = [_matrix(inputs[c], options[c].size) for c in columns]
    scaled = [c for c in columns if options[c].standardize]
    parts = []
    if scaled:
        places = [options[c] for c in scaled for _ in range(options[c].size)]
        parts.append(standardized(tf.concat(values[: len(scaled)], axis=1), places))
    if len(scaled) < len(columns):
        parts.append(tf.concat(values[len(scaled) :], axis=1))
    every = tf.concat(parts, axis=1)
    # Without a value here, or in all training rows; or infinite, in a request.
    known = tf.where(tf.math.is_finite(every), every, tf.zeros([], tf.float64))
    missing = tf.stack([tf.math.is_nan(each[:, 0]) for each in values], axis=1)
    names = (f"{c}_{place}" for c in columns for place in range(options[c].size))
    return {
        **by_name(names, rounded(known), axis=1),
        **by_name((f"{c}_missing" for c in columns), tf.cast(missing, tf.float32), axis=1),
    }


def _matrix(lists: tf.RaggedTensor, size: int) -> tf.Tensor:
    """Return lists as float64 [rows, size], with NaN where there is no value."""
    ragged = lists.with_flat_values(numbers([lists.flat_values])[:, 0])
    return ragged.to_tensor(tf.constant(float("nan"), tf.float64), shape=[None, size])
