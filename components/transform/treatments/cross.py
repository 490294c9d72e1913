"""A cross: the hash of several columns' values together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf
import tensorflow_transform as tft

from components.column_tensors import texts
from components.transform.treatments.protocol import Use
from schemas.treatments.cross import Cross

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

# Parts are joined by a character that text columns do not contain (unit separator).
_SEPARATOR = "\x1f"


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Hash values into [0, buckets); a missing value counts as ""."""
    return {use.options.stem: _hashed(inputs, use) for use in uses}


def _hashed(inputs: Inputs, use: Use) -> tf.Tensor:
    options: Cross = use.options
    parts = texts([inputs[c] for c in use.columns])
    joined = tf.strings.reduce_join(parts, axis=0, separator=_SEPARATOR)
    return tft.hash_strings(joined, options.buckets)
