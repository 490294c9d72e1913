"""`missing`: whether a value of some columns is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import is_missing
from components.transform.constants import written_by_column
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Return 1 where a column of a use has no value, float32 [rows]."""
    out: dict[str, tf.Tensor] = {}
    for use in uses:
        flags = tf.stack([is_missing(inputs[name]) for name in use.columns])
        out[use.options.stem] = tf.cast(tf.reduce_any(flags, axis=0), tf.float32)
    return out


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, what may fill it: a value that differs from a missing one by the flag."""
    return written_by_column(graph, features)
