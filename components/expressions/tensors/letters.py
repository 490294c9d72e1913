"""Lower and upper case, a letter for a letter as DuckDB has it: TensorFlow makes "SS" of "ß"."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np
import tensorflow as tf

LOWER, UPPER = "lower", "upper"
_SURROGATES = range(0xD800, 0xE000)


def lowered(text: str) -> str:
    """Return a text in lower case.

    >>> lowered("İÉ")
    'ié'
    """
    return "".join(map(_lower, text))


def _lower(letter: str) -> str:
    return letter.lower()[0]


def _upper(letter: str) -> str:
    if letter == "ß":
        return "ẞ"
    return next((x for x in (letter.upper(), letter.title()) if len(x) == 1), letter)


@functools.cache
def _table(case: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the letters that change, int32 [letters], rising, and what they become."""
    change = _lower if case == LOWER else _upper
    points = [p for p in range(sys.maxunicode + 1) if p not in _SURROGATES]
    pairs = [(p, ord(other)) for p in points if (other := change(chr(p))) != chr(p)]
    before, after = np.array(pairs, np.int32).T
    return before, after


def changed(text: Any, case: str) -> Any:
    """Return texts of any shape in a case."""
    before, after = _table(case)
    letters = tf.strings.unicode_decode(tf.reshape(text, [-1]), "UTF-8")
    flat = letters.flat_values
    place = tf.minimum(tf.searchsorted(before, flat), len(before) - 1)
    flat = tf.where(tf.equal(tf.gather(before, place), flat), tf.gather(after, place), flat)
    found = tf.strings.unicode_encode(letters.with_flat_values(flat), "UTF-8")
    return tf.reshape(found, tf.shape(text))
