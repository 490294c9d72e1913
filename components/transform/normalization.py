"""Texts → texts that compare equal if they differ in case, accents, width or punctuation alone.

All is computed by TensorFlow's own ops and tables that become part of the graph, so that each
process that loads the graph gives the same result. `tf.strings.lower` of UTF-8 does not: it follows
the language of the process, and makes a dotless i of "I" in a Turkish one.
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
# As in a class of a regular expression: what `letter_after` makes a space.
_ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"
_SEPARATORS, _LINES = r"\x1c-\x1f", r"\t-\r"  # words are split at the latter
_CLASSES = 256  # greater than every combining class


def normalized(text: tf.Tensor, steps: tuple[str, ...], *, collapse: bool = True) -> tf.Tensor:
    """Return texts of any shape after these steps of `schemas.normalization`.

    Bytes that are not UTF-8 become U+FFFD if there is any step. Texts of ASCII alone take a few ops
    on whole texts, which give what the letters' table would, in a fraction of its time.

    Args:
      text: the texts.
      steps: each once.
      collapse: whether `whitespace` is complete. Without, ASCII white space stays as it is and
        other white space becomes a space, which is all that splitting into words needs.
    """
    if not steps:
        return text
    flat = tf.reshape(text, [-1])
    is_ascii = tf.strings.regex_full_match(flat, r"[\x00-\x7f]*")
    places = [tf.where(own)[:, 0] for own in (is_ascii, tf.logical_not(is_ascii))]
    plain, other = (tf.gather(flat, own) for own in places)
    written = [_of_ascii(plain, steps, collapse), _of_letters(other, steps, collapse)]
    both = tf.gather(tf.concat(written, axis=0), tf.math.invert_permutation(tf.concat(places, 0)))
    return tf.reshape(both, tf.shape(text))


def _of_ascii(text: tf.Tensor, steps: tuple[str, ...], collapse: bool) -> tf.Tensor:
    """Return texts [any] of ASCII, which has no accents, and nothing that NFKD changes."""
    if "lower" in steps:
        text = tf.strings.lower(text)  # of ASCII alone, whatever the language of the process
    spaces = _ASCII_PUNCTUATION if "punctuation" in steps else ""
    if "whitespace" in steps:
        spaces += _SEPARATORS + (_LINES if collapse else "")
    if spaces:
        text = tf.strings.regex_replace(text, f"[{spaces}]", " ")
    return _collapsed(text) if "whitespace" in steps and collapse else text


def _collapsed(text: tf.Tensor) -> tf.Tensor:
    """Return texts with one space instead of several, and none at the ends."""
    # A single space stays, so that most texts need no change.
    return tf.strings.strip(tf.strings.regex_replace(text, "  +", " "))


def _of_letters(text: tf.Tensor, steps: tuple[str, ...], collapse: bool) -> tf.Tensor:
    """Return texts [any] of any letters."""
    letters = tf.strings.unicode_decode(text, "UTF-8")
    letters = _mapped(letters, steps)
    if "nfkd" in steps and "accents" not in steps:
        letters = _ordered(letters)
    written = tf.strings.unicode_encode(letters, "UTF-8")
    return _collapsed(written) if "whitespace" in steps and collapse else written


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
