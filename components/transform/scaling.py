"""The part that all treatments with the options of a `ScaledNumber` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from components.column_tensors import by_name, integers_first, numbers, rounded
from components.transform.treatments.protocol import Use

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors


def scaled(
    inputs: Inputs,
    uses: Sequence[Use],
    scale: Callable[[tf.Tensor, list[Any]], tf.Tensor],
) -> Tensors:
    """Return each number as `scale` makes it, and its missing flag.

    Args:
      inputs: the raw columns.
      uses: of one kind.
      scale: takes float64 [rows, columns], NaN where missing, and the columns' options; it returns
        as many numbers. NaN among them, as of a column without values in training, becomes 0.
    """
    options = {use.column: use.options for use in uses}
    columns = integers_first((name, inputs[name]) for name in options)
    value = numbers([inputs[c] for c in columns])
    result = scale(value, [options[c] for c in columns])
    missing = tf.math.is_nan(value)
    unknown = tf.logical_or(missing, tf.math.is_nan(result))
    known = tf.where(unknown, tf.zeros([], tf.float64), result)
    kind = uses[0].kind
    return {
        **by_name((f"{c}_{kind}" for c in columns), rounded(known), axis=1),
        **by_name((f"{c}_{kind}_missing" for c in columns), tf.cast(missing, tf.float32), axis=1),
    }
