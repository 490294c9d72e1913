"""What treatments that scale numbers share: missing flags, and mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import tensorflow_transform as tft

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
    missing = tf.math.is_nan(value)
    result = tf.where(missing, value, scale(value, [options[c] for c in columns]))
    kind = uses[0].kind
    names = [f"{c}_{kind}" for c in columns]
    return flagged(names, result, [f"{name}_missing" for name in names], missing)


def flagged(
    names: Iterable[str], value: tf.Tensor, flags: Iterable[str], missing: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Return numbers and their missing flags by name, float32 [rows].

    Args:
      names: of the numbers.
      value: float64 [rows, names]; NaN becomes 0.
      flags: the names of the flags.
      missing: bool [rows, flags].
    """
    known = tf.where(tf.math.is_nan(value), tf.zeros([], tf.float64), value)
    return {
        **by_name(names, rounded(known), axis=1),
        **by_name(flags, tf.cast(missing, tf.float32), axis=1),
    }


def standardized(value: tf.Tensor, options: Sequence[Any], *, centered: int = 0) -> tf.Tensor:
    """Return numbers with mean 0 and variance 1 over the training split, clipped.

    Args:
      value: float64 [rows, columns]; NaN and infinite values are left out of mean and variance.
      options: of each column: `log1p` takes sign(x) * log(1 + |x|) first, `clip` is the largest
        absolute value. Where there is `standardize` and it is false, the number is not scaled;
        without `log1p`, there is no logarithm.
      centered: how many of the last columns have the digits of a float64. They may vary by far less
        than they measure, and then the sums of their squares would depend on the order of rows.

    Returns:
      float64 [rows, columns]; NaN where the number is NaN, or there is none in training.
    """
    value = _tamed(value, [getattr(o, "log1p", False) for o in options])
    wanted = [getattr(o, "standardize", True) for o in options]
    if not any(wanted):
        return value
    clip = tf.constant([[o.clip for o in options]], tf.float64)
    scaled = tf.clip_by_value(z_scores(value, centered=centered), -clip, clip)
    return scaled if all(wanted) else tf.where(tf.constant([wanted]), scaled, value)


def z_scores(value: tf.Tensor, *, centered: int = 0) -> tf.Tensor:
    """Return numbers as `standardized` does, without logarithms and clipping."""
    around = _centered(value, centered) if centered else value
    return tft.scale_to_z_score(around, elementwise=True)


def with_all_digits(columns: Iterable[tf.Tensor]) -> int:
    """Return how many columns have the digits of a float64: `numbers` has them last."""
    return sum(column.dtype == tf.float64 for column in columns)


def _centered(value: tf.Tensor, columns: int) -> tf.Tensor:
    """Return numbers [rows, columns], the last columns less their mean in training."""
    others, last = tf.split(value, [value.shape[1] - columns, columns], axis=1)
    mean = tft.mean(last, reduce_instance_dims=False, name="center")
    return tf.concat([others, last - mean], axis=1)


def _tamed(value: tf.Tensor, log1p: Sequence[bool]) -> tf.Tensor:
    """Return sign(x) log(1 + |x|) of the columns [rows, columns] with the option `log1p`."""
    if not any(log1p):
        return value
    tamed = tf.sign(value) * tf.math.log1p(tf.abs(value))
    return tf.where(tf.constant([list(log1p)]), tamed, value)
