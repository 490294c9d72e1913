"""`text_shape`: how long a text is, and its shares of digits and upper case letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.column_tensors import by_name, rounded
from components.transform.constants import columns_of
from components.transform.scaling import standardized
from components.transform.treatments.protocol import Use
from schemas.layout import TransformedFeature
from schemas.treatments.text_shape import COUNTS, SHARES, TextShape

if TYPE_CHECKING:
    from components.transform.treatments.protocol import Boundary, Inputs, Tensors

# Digits of other scripts, and numbers of other kinds; capitals, title case, Roman numerals, beyond
# 16 bits; spaces that Unicode has and ASCII has not, joiners and combining characters.
_NEAR_CLASSES = (
    *("٣४７", "²½Ⅷ", "0", "A", "ÀÉΣЖ", "ǅǈ", "Ⅷⅷ", "\U0001d400\U0001d7d8", "ªº", "ß", "İı"),
    *("a\u00a0b", "a\u2003b c", "a\u200bb", "a\u0085b", "a\x0bb\x0cc", "e\u0301", "👩\u200d🔬"),
)
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


def boundaries(graph: str, features: Sequence[TransformedFeature]) -> Mapping[str, list[Boundary]]:
    """Return, by column, texts whose characters are nearly digits, capitals or spaces, or are."""
    return {name: [text.encode() for text in _NEAR_CLASSES] for name in columns_of(features)}
