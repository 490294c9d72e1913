"""The part that `one_hot` and `multi_hot` share: a 0 or 1 for each frequent value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name
from components.transform.treatments.protocol import Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Tensors


def widest(uses: Sequence[Use]) -> int:
    """Return the largest number of values that a column has indicators of."""
    return max(use.options.top_k for use in uses)


def indicators(uses: Sequence[Use], hot: Sequence[tf.Tensor], missing: tf.Tensor) -> Tensors:
    """Return the outputs of all uses, by name.

    Args:
      uses: of one kind.
      hot: of each use, float32 [rows, `widest`].
      missing: bool [uses, rows].
    """
    out: dict[str, tf.Tensor] = {}
    for use, own in zip(uses, hot, strict=True):
        count = use.options.top_k
        names = (f"{use.column}_{use.kind}_{number}" for number in range(1, count + 1))
        out |= by_name(names, own[:, :count], axis=1)
    flags = (f"{use.column}_{use.kind}_missing" for use in uses)
    return out | by_name(flags, tf.cast(missing, tf.float32))
