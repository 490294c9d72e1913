"""Booleans, times and numbers in text as requests carry them → as the transform graph takes them.

The functions take columns [rows] with stand-ins for missing values; others pass unchanged. All
columns of a type pass through the same ops, of times as text all columns of a format. The values of
lists pass through them by themselves, since there may be any number of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from components.calendar import prefix_of, time_of
from components.export import signatures as names
from components.export.graph_errors import require
from components.times import format_of, unit_of
from schemas.columns import LARGEST_INTEGER, LONGEST_NUMBER, NUMBER, Column
from schemas.time_formats import FRACTION, SIGN, TimeFormat
from schemas.types import BOOL, BOOL_TEXT, FLOAT_TEXT, INT, TIME, TIME_TEXT, ColumnType

_MOST_GROUPS = 9  # that RE2 can write
_MISSING = r"(?:[+-]?(?i:nan))?"


def read_values(columns: Mapping[str, tf.Tensor], kinds: Sequence[Column]) -> dict[str, tf.Tensor]:
    """Return columns with booleans checked, times as microseconds, and texts as their numbers.

    Args:
      columns: numbers as int64 or float32, texts as strings; lists ragged, [rows, None].
      kinds: the columns.

    Raises (when run):
      InvalidArgumentError: a value is not a boolean, a time, or a number that a float32 comes near
        to; names the columns.
    """
    read = {c.name: columns[c.name] for c in kinds}
    for column in (c for c in kinds if c.is_list and c.type.is_read):
        flat = read_values({column.name: read[column.name].flat_values}, [replace(column, most=0)])
        read[column.name] = read[column.name].with_flat_values(flat[column.name])
    kinds = [c for c in kinds if not c.is_list]
    if alike := _of_type(kinds, BOOL):
        values = _stacked(columns, alike)
        allowed = tf.constant([0, 1, INT.missing], tf.int64)
        _require_one_of(values[..., tf.newaxis], allowed, alike)
    if alike := _of_type(kinds, BOOL_TEXT):
        values = _stacked(columns, alike)
        texts = tf.constant([[[*c.form, ""]] for c in alike])
        _require_one_of(values[..., tf.newaxis], texts, alike)
    if alike := _of_type(kinds, TIME):
        read |= _unstacked(_of_numbers(_stacked(columns, alike), alike), alike)
    if alike := _of_type(kinds, FLOAT_TEXT):
        values, fine = doubles(_stacked(columns, alike))
        require(tf.reduce_all(fine, axis=1), alike, names.NOT_NUMBERS)
        read |= _unstacked(values, alike)
    times = _of_type(kinds, TIME_TEXT)
    for form in dict.fromkeys(c.form for c in times):
        alike = [c for c in times if c.form == form]
        values = _of_texts(_stacked(columns, alike), format_of(*form), alike)
        read |= _unstacked(values, alike)
    return read


def doubles(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the numbers in texts, float64, NaN where missing, and which texts are numbers."""
    missing = tf.strings.regex_full_match(texts, _MISSING)
    written = tf.strings.regex_full_match(texts, NUMBER)
    written &= tf.strings.length(texts) <= LONGEST_NUMBER
    numbers = tf.strings.to_number(tf.where(written, texts, "0"), tf.float64)
    # beyond float32's range, a scaled value would have no float32
    fine = written & tf.math.is_finite(tf.cast(numbers, tf.float32))
    nan = tf.constant(float("nan"), tf.float64)
    return tf.where(fine, numbers, nan), fine | missing


def _of_type(kinds: Sequence[Column], wanted: ColumnType) -> list[Column]:
    return [c for c in kinds if c.type is wanted]


def _stacked(columns: Mapping[str, tf.Tensor], alike: Sequence[Column]) -> tf.Tensor:
    """Return columns of a type as a matrix [columns, rows]."""
    return tf.stack([columns[c.name] for c in alike])


def _unstacked(values: tf.Tensor, alike: Sequence[Column]) -> dict[str, tf.Tensor]:
    each = tf.unstack(values, len(alike))
    return {c.name: x for c, x in zip(alike, each, strict=True)}


def _require_one_of(values: tf.Tensor, allowed: tf.Tensor, alike: Sequence[Column]) -> None:
    known = tf.reduce_any(tf.equal(values, allowed), axis=2)
    require(tf.reduce_all(known, axis=1), alike, names.NOT_BOOLEANS)


def _of_numbers(values: tf.Tensor, alike: Sequence[Column]) -> tf.Tensor:
    """Return times [columns, rows] in their units as microseconds."""
    units = tf.constant([[unit_of(c)] for c in alike], tf.int64)
    missing = tf.equal(values, _missing())
    # before they are multiplied, which may pass the end of int64
    most = LARGEST_INTEGER // units
    inside = tf.logical_and(values <= most, values >= -most)
    fine = tf.reduce_all(tf.logical_or(inside, missing), axis=1)
    require(fine, alike, names.NOT_TIMES)
    return tf.where(missing, values, values * units)


def _of_texts(texts: tf.Tensor, form: TimeFormat, alike: Sequence[Column]) -> tf.Tensor:
    """Return times [columns, rows] in a format as microseconds."""
    matches = tf.strings.regex_full_match(texts, form.pattern())
    fields = _numbers(texts, matches, form)
    for field, spelled in form.names.items():
        written = tf.strings.lower(tf.strings.regex_replace(texts, *_rewriting(form, [field])))
        equal = tf.equal(written[..., tf.newaxis], tf.constant(spelled))
        fields[field] = tf.argmax(tf.cast(equal, tf.int32), axis=-1)
    times, valid = time_of(fields)
    missing = tf.equal(texts, "")
    inside = tf.abs(times) <= tf.constant(LARGEST_INTEGER, tf.int64)
    real = tf.logical_and(tf.logical_and(matches, valid), inside)
    require(tf.reduce_all(tf.logical_or(real, missing), axis=1), alike, names.NOT_TIMES)
    return tf.where(missing, _missing(), times)


def _numbers(texts: tf.Tensor, matches: tf.Tensor, form: TimeFormat) -> dict[str, tf.Tensor]:
    """Return the fields that are whole numbers, int64 [columns, rows]."""
    fields: dict[str, tf.Tensor] = {}
    for start in range(0, len(form.numbers), _MOST_GROUPS):
        part = form.numbers[start : start + _MOST_GROUPS]
        written = tf.strings.regex_replace(texts, *_rewriting(form, part))
        whole = tf.where(matches, written, ",".join(_ANY.get(field, "1") for field in part))
        split = tf.raw_ops.StringSplitV2(
            input=tf.reshape(whole, [-1]), sep=tf.constant(","), maxsplit=-1
        )
        shape = tf.concat([tf.shape(texts), [len(part)]], axis=0)
        numbers = tf.reshape(tf.strings.to_number(split.values, tf.int64), shape)
        fields |= zip(part, tf.unstack(numbers, len(part), axis=-1), strict=True)
    return fields


_ANY = {FRACTION: "10", SIGN: "1"}  # of a text that does not match, besides a 1


def _rewriting(form: TimeFormat, fields: Sequence[str]) -> tuple[str, str]:
    """Return a pattern, and what it is replaced by: the fields with commas between them."""
    groups = (
        f"\\{number}" if field in form.names else prefix_of(field, f"\\{number}")
        for number, field in enumerate(fields, start=1)
    )
    return f"^(?:{form.pattern(fields)})$", ",".join(groups)


def _missing() -> tf.Tensor:
    return tf.constant(INT.missing, tf.int64)
