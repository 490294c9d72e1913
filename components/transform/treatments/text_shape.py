"""`text_shape`: how long a text is, and its shares of digits and upper case letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, rounded
from components.transform.scaling import standardized
from components.transform.treatments.protocol import Use
from schemas.treatments.text_shape import COUNTS, SHARES, TextShape

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Inputs, Tensors

_ALL_BUT = {"digits": r"[^\p{Nd}]", "upper": r"[^\p{Lu}]"}


def apply(inputs: Inputs, uses: Sequence[Use]) -> Tensors:
    """Measure texts; what is missing is 0 and flagged."""
    options: dict[str, TextShape] = {use.column: use.options for use in uses}
    value = tf.stack([inputs[c] for c in options], axis=1)  # [rows, columns]
    missing = tf.equal(value, "")
    characters = _length(value)
    # A word is a run of characters without spaces.
    words = tf.strings.regex_replace(tf.strings.regex_replace(value, r"\S+", "w"), r"\s+", "")
    scaled = standardized(
        tf.concat([_unless(missing, characters), _unless(missing, _length(words))], axis=1),
        [*options.values()] * len(COUNTS),
    )
    scaled = tf.where(tf.math.is_nan(scaled), tf.zeros([], tf.float64), scaled)
    shares = [
        tf.math.divide_no_nan(_length(tf.strings.regex_replace(value, others, "")), characters)
        for others in _ALL_BUT.values()
    ]
    parts = [*tf.split(scaled, len(COUNTS), axis=1), *shares, tf.cast(missing, tf.float64)]
    out: dict[str, tf.Tensor] = {}
    for name, part in zip((*COUNTS, *SHARES, "missing"), parts, strict=True):
        out |= by_name((f"{c}_text_shape_{name}" for c in options), rounded(part), axis=1)
    return out


def _length(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(value, unit="UTF8_CHAR"), tf.float64)


def _unless(missing: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.where(missing, tf.constant(float("nan"), tf.float64), tf.math.log1p(count))
