"""`length`: the number of values in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import text
from components.transform.scaling import scaled, standardized
from components.transform.treatments.protocol import Use
from schemas.types import INT

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Standardize and clip lengths; a missing list is 0 and flagged."""
    return scaled({use.column: _lengths(inputs[use.column]) for use in uses}, uses, standardized)


def _lengths(lists: tf.RaggedTensor) -> tf.Tensor:
    """Return the number of each list's values, int64 [rows]."""
    stands_in = lists.with_flat_values(tf.equal(text(lists.flat_values), ""))
    missing = tf.reduce_any(stands_in, axis=1)
    return tf.where(missing, tf.constant(INT.missing, tf.int64), lists.row_lengths())
