"""`length`: the number of values in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import text
from components.transform.scaling import scaled
from components.transform.treatments.protocol import Use
from schemas.treatments.length import Length
from schemas.types import INT

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Standardize and clip lengths; a missing list is 0 and flagged."""
    return scaled({use.column: _lengths(inputs[use.column]) for use in uses}, uses, _standardized)


def _lengths(lists: tf.RaggedTensor) -> tf.Tensor:
    """Return the number of each list's values, int64 [rows]."""
    stands_in = lists.with_flat_values(tf.equal(text(lists.flat_values), ""))
    missing = tf.reduce_any(stands_in, axis=1)
    return tf.where(missing, tf.constant(INT.missing, tf.int64), lists.row_lengths())


def _standardized(value: tf.Tensor, options: list[Length]) -> tf.Tensor:
    clip = tf.constant([o.clip for o in options], tf.float64)
    return tf.clip_by_value(tft.scale_to_z_score(value, elementwise=True), -clip, clip)
