"""Raw columns as the matrices that treatments compute on.

NaN and the empty text count as missing, everywhere, so that a request which cannot say "absent"
means the same as one that can.

Numbers are subtracted and compared in float64, which holds every INT within ±2**53 and all floats;
only the result is rounded to float32. Numbers below the smallest normal float32 count as 0: some of
TensorFlow's threads treat them as 0 and others do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import tensorflow as tf

from schemas.types import INT

K = TypeVar("K")

_EXPONENT = 0x7F800000  # the bits of a float32's exponent
_DIGITS = {tf.float32: 9, tf.float64: 17}  # that no other number has
_ORDER = (tf.int64, tf.float32, tf.float64)


def numbers(columns: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return columns [rows], in the order of `integers_first`, as float64 [rows, columns].

    Missing is NaN.
    """
    whole = [x for x in columns if x.dtype == tf.int64]
    parts = []
    if whole:
        values = tf.stack(whole, axis=1)
        nan = tf.constant(float("nan"), tf.float64)
        parts.append(tf.where(_is_missing(values), nan, tf.cast(values, tf.float64)))
    for dtype in (tf.float32, tf.float64):
        alike = [x for x in columns if x.dtype == dtype]
        if alike:
            parts.append(tf.cast(_flushed(tf.stack(alike, axis=1)), tf.float64))
    return tf.concat(parts, axis=1) if len(parts) > 1 else parts[0]


def integers_first(inputs: Iterable[tuple[K, tf.Tensor]]) -> list[K]:
    """Return the keys of columns in the order that `numbers` takes them in: by type."""
    return [name for name, x in sorted(inputs, key=lambda item: _ORDER.index(item[1].dtype))]


def texts(columns: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return columns [rows] as string [columns, rows], as `text` does."""
    written = {}
    for dtype in _ORDER:
        alike = [x for x in columns if x.dtype == dtype]
        if alike:
            written[dtype] = iter(tf.unstack(text(tf.stack(alike)), len(alike)))
    return tf.stack([x if x.dtype == tf.string else next(written[x.dtype]) for x in columns])


def text(values: tf.Tensor) -> tf.Tensor:
    """Return values of any shape as texts, "" where missing.

    Integers are in decimal, floats in as many digits as no two share.
    """
    if values.dtype == tf.string:
        return values
    if values.dtype in _DIGITS:
        digits = tf.strings.as_string(
            _flushed(values), precision=_DIGITS[values.dtype], shortest=True
        )
        return tf.where(tf.math.is_nan(values), "", digits)
    return tf.where(_is_missing(values), "", tf.strings.as_string(values))


def is_missing(values: tf.Tensor) -> tf.Tensor:
    """Return where values of any shape are missing, bool."""
    if values.dtype == tf.string:
        return tf.equal(values, "")
    return tf.math.is_nan(values) if values.dtype in _DIGITS else _is_missing(values)


def rounded(x: tf.Tensor) -> tf.Tensor:
    """Return float64 values as float32, 0 for those that would be subnormal."""
    return tf.cast(_flushed(x), tf.float32)


def by_name(names: Iterable[str], values: tf.Tensor, axis: int = 0) -> dict[str, tf.Tensor]:
    """Return a matrix's columns, the slices along `axis`, each under its name."""
    names = list(names)
    return dict(zip(names, tf.unstack(values, len(names), axis=axis), strict=True))


def _is_missing(values: tf.Tensor) -> tf.Tensor:
    return tf.equal(values, tf.constant(INT.missing, tf.int64))


def _flushed(x: tf.Tensor) -> tf.Tensor:
    """Return floats, 0 for those below the normal float32, in every thread alike."""
    if x.dtype == tf.float64:
        tiny = tf.constant(np.finfo(np.float32).tiny, tf.float64)
        return tf.where(tf.abs(x) < tiny, tf.zeros([], tf.float64), x)
    exponent = tf.bitwise.bitwise_and(tf.bitcast(x, tf.int32), _EXPONENT)
    return tf.where(tf.equal(exponent, 0), tf.zeros([]), x)
