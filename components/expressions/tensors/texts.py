"""Functions of texts in UTF-8; patterns are RE2's, as DuckDB's are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.expressions.tensors.letters import LOWER, UPPER, changed, lowered
from components.expressions.tensors.logic import Arguments, Implementation, strict
from components.expressions.tensors.values import (
    Value,
    all_known,
    constant_of,
    dtype_of,
    tensors,
)
from schemas.expressions.tree import FunctionCall

_FAR = 2**31 - 1  # characters; no text has more
_SPACES = r"\p{Zs}"
_ANY = "(?s:.*)"  # any characters, line breaks included


def _patterned(function: Callable[..., Any]) -> Implementation:
    """Return an implementation whose arguments after the first one are constants.

    `function` takes the text [rows] and these constants, none of which is null.
    """

    def of(node: FunctionCall, arguments: Arguments) -> Value:
        constants = [constant_of(node, place) for place in range(1, len(arguments))]
        known = all_known(arguments)
        if None in constants:
            return Value(tf.zeros([], dtype_of(node.type)), tf.constant(False))
        return Value(function(arguments[0].values, *constants), known)

    return of


def _found(text: Any, pattern: str) -> Any:
    return tf.strings.regex_full_match(text, f"{_ANY}(?:{pattern}){_ANY}")


def _extracted(text: Any, pattern: str, group: int = 0) -> Any:
    found = tf.strings.regex_replace(
        text, f"^(?s:.*?)({pattern}){_ANY}$", rf"\{group + 1}", replace_global=False
    )
    return tf.where(_found(text, pattern), found, "")


def _replaced_pattern(text: Any, pattern: str, by: str, flags: str = "") -> Any:
    return tf.strings.regex_replace(text, pattern, by, replace_global="g" in flags)


def _like(text: Any, pattern: str) -> Any:
    wild = {"%": ".*", "_": "."}
    written = "".join(wild.get(each) or re.escape(each) for each in pattern)
    return tf.strings.regex_full_match(text, f"(?s:{written})")


def _ilike(text: Any, pattern: str) -> Any:
    return _like(changed(text, LOWER), lowered(pattern))


def _contains(text: Any, part: str) -> Any:
    return _found(text, re.escape(part))


def _place(text: Any, part: str) -> Any:
    """Return the place of a part's first character, from 1; 0 without it."""
    before = tf.strings.regex_replace(text, f"{re.escape(part)}{_ANY}", "", replace_global=False)
    return tf.where(_contains(text, part), _length(before) + 1, tf.zeros([], tf.int64))


def _replaced(text: Any, part: str, by: str) -> Any:
    if not part:
        return text
    return tf.strings.regex_replace(text, re.escape(part), by.replace("\\", r"\\"))


def _trimmed(*ends: str) -> Implementation:
    """Return the removal of spaces, or of given characters, at the ends `^` and `$`."""

    def of(text: Any, characters: str | None = None) -> Any:
        some = _SPACES if characters is None else re.escape(characters)
        for end in ends if some else ():
            pattern = f"^[{some}]+" if end == "^" else f"[{some}]+$"
            text = tf.strings.regex_replace(text, pattern, "", replace_global=False)
        return text

    return _patterned(of)


def _length(text: Any) -> Any:
    return tf.cast(tf.strings.length(text, unit="UTF8_CHAR"), tf.int64)


def _between(text: Any, start: Any, end: Any) -> Any:
    """Return the characters from `start` up to `end`, from 0; either may be beyond the text."""
    length = _length(text)
    start, end = (tf.maximum(tf.minimum(each, length), 0) for each in (start, end))
    return _cut(text, start, tf.maximum(end - start, 0), "UTF8_CHAR")


def _cut(text: Any, start: Any, length: Any, unit: str) -> Any:
    """Return parts of texts; each argument is [rows] or a scalar, which `substr` does not take."""
    rows = tf.broadcast_dynamic_shape(tf.shape(text), tf.shape(start + length))
    text, start, length = (tf.broadcast_to(each, rows) for each in (text, start, length))
    return tf.strings.substr(text, start, length, unit=unit)


def _substring(text: Any, first: Any, count: Any = _FAR) -> Any:
    """Return `count` characters from the place `first`, or before it if negative.

    A negative `first` counts from the end, and is the first character beyond it; 0 is the place
    before the first character.
    """
    length = _length(text)
    first, count = (tf.clip_by_value(tf.cast(x, tf.int64), -_FAR, _FAR) for x in (first, count))
    start = tf.where(first < 0, tf.maximum(length + first, 0), tf.minimum(first - 1, length))
    return _between(text, tf.minimum(start, start + count), tf.maximum(start, start + count))


def _left(text: Any, count: Any) -> Any:
    return _between(text, tf.zeros_like(count), tf.where(count < 0, _length(text) + count, count))


def _right(text: Any, count: Any) -> Any:
    length = _length(text)
    return _between(text, tf.where(count < 0, -count, length - count), length)


def _split_part(node: FunctionCall, arguments: Arguments) -> Value:
    """Return a part of a text, by its number from 1, or from -1 at the end; "" without it."""
    text, _, number = tensors(arguments)
    parts = tf.strings.split(tf.reshape(text, [-1]), constant_of(node, 1) or ",")
    number = number + tf.zeros_like(parts.row_starts())
    count = parts.row_lengths()
    place = tf.where(number < 0, count + number, number - 1)
    inside = (place >= 0) & (place < count)
    found = tf.gather(parts.flat_values, parts.row_starts() + tf.where(inside, place, 0))
    return Value(tf.where(inside, found, ""), all_known(arguments))


def _starts_with(text: Any, part: Any) -> Any:
    length = tf.strings.length(part)
    return tf.equal(_cut(text, tf.zeros_like(length), length, "BYTE"), part)


def _ends_with(text: Any, part: Any) -> Any:
    length = tf.strings.length(part)
    start = tf.maximum(tf.strings.length(text) - length, 0)
    return tf.equal(_cut(text, start, length, "BYTE"), part)


def _concat(_: FunctionCall, arguments: Arguments) -> Value:
    texts = [tf.where(each.known, each.values, "") for each in arguments]
    return Value(tf.strings.join(texts), tf.constant(True))


TEXTS: dict[str, Implementation] = {
    "like": _patterned(_like),
    "ilike": _patterned(_ilike),
    "regexp_matches": _patterned(_found),
    "regexp_full_match": _patterned(tf.strings.regex_full_match),
    "regexp_extract": _patterned(_extracted),
    "regexp_replace": _patterned(_replaced_pattern),
    "||": strict(lambda *texts: tf.strings.join(texts)),
    "concat": _concat,
    "contains": _patterned(_contains),
    "starts_with": strict(_starts_with),
    "ends_with": strict(_ends_with),
    "lower": strict(lambda text: changed(text, LOWER)),
    "upper": strict(lambda text: changed(text, UPPER)),
    "trim": _trimmed("^", "$"),
    "ltrim": _trimmed("^"),
    "rtrim": _trimmed("$"),
    "length": strict(_length),
    "instr": _patterned(_place),
    "substring": strict(_substring),
    "left": strict(_left),
    "right": strict(_right),
    "replace": _patterned(_replaced),
    "split_part": _split_part,
}
