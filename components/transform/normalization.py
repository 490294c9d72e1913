"""Texts → texts that compare equal if they differ in case, accents, width or punctuation alone.

All is computed by TensorFlow's own ops and tables that become part of the graph, so that each
process that loads the graph gives the same result. `tf.strings.lower` does not: it follows the
language of the process, and makes a dotless i of "I" in a Turkish one.
"""

from __future__ import annotations

import functools
import string
import unicodedata
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

# Planes with characters that a step changes; 0xE0000 has marks that select variants.
_POINTS = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000))
_CLASSES = 256  # greater than every combining class


def normalized(text: tf.Tensor, steps: tuple[str, ...]) -> tf.Tensor:
    """Return texts of any shape after these steps of `schemas.normalization`.

    Bytes that are not UTF-8 become U+FFFD if there is any step.
    """
    if not steps:
        return text
    letters = tf.strings.unicode_decode(tf.reshape(text, [-1]), "UTF-8")
    letters = _mapped(letters, steps)
    if "nfkd" in steps and "accents" not in steps:
        letters = _ordered(letters)
    written = tf.strings.unicode_encode(letters, "UTF-8")
    if "whitespace" in steps:
        written = tf.strings.strip(tf.strings.regex_replace(written, " +", " "))
    return tf.reshape(written, tf.shape(text))


def _mapped(letters: tf.RaggedTensor, steps: tuple[str, ...]) -> tf.RaggedTensor:
    """Replace each letter, int32 [texts, None], by those that the table has for it."""
    before, counts, after = _table(steps)
    flat = letters.flat_values
    place = tf.minimum(tf.searchsorted(before, flat), len(before) - 1)
    changes = tf.equal(tf.gather(before, place), flat)
    count = tf.where(changes, tf.gather(counts, place), 1)
    # What letters become, and after that the letters themselves, which the others are taken from.
    source = tf.concat([after, flat], axis=0)
    starts = np.cumsum(counts, dtype=np.int32) - counts
    first = tf.where(changes, tf.gather(starts, place), len(after) + tf.range(tf.size(flat)))
    nth = tf.range(tf.reduce_sum(count)) - tf.repeat(tf.cumsum(count, exclusive=True), count)
    lengths = tf.reduce_sum(letters.with_flat_values(tf.cast(count, tf.int64)), axis=1)
    return tf.RaggedTensor.from_row_lengths(
        tf.gather(source, tf.repeat(first, count) + nth), lengths, validate=False
    )


@functools.cache
def _table(steps: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the letters that change, rising, what they become, and how many letters this is.

    All are int32: `before` and `counts` [letters], `after` [sum of counts].
    """
    before: list[int] = []
    counts: list[int] = []
    after: list[int] = []
    for points in _POINTS:
        for point in points:
            became = letter_after(chr(point), steps)
            if became != chr(point):
                before.append(point)
                counts.append(len(became))
                after += map(ord, became)
    return np.array(before, np.int32), np.array(counts, np.int32), np.array(after, np.int32)


def letter_after(letter: str, steps: Iterable[str]) -> str:
    """Return what a letter becomes.

    >>> letter_after("Ǆ", ["nfkd", "lower", "accents"])
    'dz'
    """
    if "nfkd" in steps or "accents" in steps:
        letter = unicodedata.normalize("NFKD", letter)
    if "lower" in steps:
        letter = "".join(each.lower() for each in letter)
    if "accents" in steps:
        letter = "".join(each for each in letter if not unicodedata.combining(each))
    if "punctuation" in steps:
        letter = "".join(" " if _is_punctuation(each) else each for each in letter)
    if "whitespace" in steps:
        letter = "".join(" " if each.isspace() else each for each in letter)
    return letter


def _is_punctuation(letter: str) -> bool:
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")


def _ordered(letters: tf.RaggedTensor) -> tf.RaggedTensor:
    """Put marks that follow a letter into Unicode's canonical order."""
    marks, classes = _combining()
    flat = letters.flat_values
    place = tf.minimum(tf.searchsorted(marks, flat), len(marks) - 1)
    own = tf.where(tf.equal(tf.gather(marks, place), flat), tf.gather(classes, place), 0)
    # Marks move only among those behind the same letter of the same text.
    starts = tf.cumsum(tf.cast(tf.equal(own, 0), tf.int64)) + letters.value_rowids()
    order = tf.argsort(starts * _CLASSES + tf.cast(own, tf.int64), stable=True)
    return letters.with_flat_values(tf.gather(flat, order))


@functools.cache
def _combining() -> tuple[np.ndarray, np.ndarray]:
    """Return all combining marks, int32 [marks], rising, and their classes."""
    every = ((p, unicodedata.combining(chr(p))) for points in _POINTS for p in points)
    marks, classes = np.array([pair for pair in every if pair[1]], np.int32).T
    return marks, classes
