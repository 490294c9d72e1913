"""Decides the type of a column in schema.pbtxt from its values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.text_encoding import CEscape

from components import list_arrays
from components.profile.times import format_of, format_of_most
from components.profile.values import ColumnValues, NumberText, as_numbers, sure_nulls
from schemas.columns import LARGEST_INTEGER, MOST_VALUES
from schemas.tasks.two_values import NO_AND_YES
from schemas.types import BYTES, FLOAT, INT

_TIME = "%Y-%m-%d %H:%M:%S"
_TIME_NAME = re.compile(r"(?i)time|date|epoch|(^|_)(ts|at)$")
# The whole numbers that times from 1990 to 2050 are, in each unit.
_UNIX = (("UNIX_SECONDS", 1), ("UNIX_MILLISECONDS", 1_000), ("UNIX_MICROSECONDS", 1_000_000))
_FIRST, _LAST = 631_152_000, 2_524_608_000

# The domain of a column whose numbers keep the digits of a float64.
ALL_DIGITS = "float_domain {}"
_DISTINCT = 0.9  # the least share of values that stay different as float32


@dataclass(frozen=True)
class Typed:
    """A column with its type.

    Attributes:
      column: its values; numbers where they are numbers, null where missing.
      nature: "number", "boolean", "time", "text", "list"; "other" for what no column can be.
      kind: `type` in schema.pbtxt.
      domain: further lines of its feature there.
      form: the format of times that are texts, or "".
      nulls: texts in the table that mean missing.
      doubt: what a person should look at, or "".
      stray: how many values a run rejects.
    """

    column: ColumnValues
    nature: str
    kind: str = BYTES.name
    domain: tuple[str, ...] = ()
    form: str = ""
    nulls: tuple[str, ...] = ()
    doubt: str = ""
    stray: int = 0


def typed(column: ColumnValues, *, whole: bool) -> Typed:
    """Return a column with its type.

    Args:
      column: texts, or values of the file's type.
      whole: whether all rows of the table were looked at.
    """
    arrow = column.array.type
    if pa.types.is_dictionary(arrow):
        return typed(replace(column, array=column.array.dictionary_decode()), whole=whole)
    if pa.types.is_large_string(arrow):
        return typed(replace(column, array=column.array.cast(pa.string())), whole=whole)
    for fits, decide in _BY_ARROW:
        if fits(arrow):
            return decide(column)
    if pa.types.is_string(arrow):
        return _text(column, whole)
    if pa.types.is_null(arrow):
        return Typed(column, "text")
    return Typed(column, "other", doubt=f"{arrow} is not a type of a column")


def quoted(text: str) -> str:
    """Return a text as schema.pbtxt has it."""
    return f'"{CEscape(text, as_utf8=True)}"'


def _text(column: ColumnValues, whole: bool) -> Typed:
    nulls = sure_nulls(column)
    column = column.without(nulls)
    texts = column.counts[0].slice(0, 3).to_pylist()
    for no, yes in NO_AND_YES:
        if sorted(texts) == sorted((no, yes)) and no != "0":
            lines = (f"bool_domain {{ true_value: {quoted(yes)} false_value: {quoted(no)} }}",)
            return Typed(column, "boolean", BYTES.name, lines, nulls=nulls)
    numbers = NumberText(None) if column.has_type else as_numbers(column)
    if numbers.kind is not None:
        known = ColumnValues(column.name, _numbers(column, numbers.kind))
        doubt = ""
        if numbers.stray:
            doubt = (
                f"values such as {numbers.example!r} are not numbers: a run rejects their rows,"
                f" {numbers.stray:,} of those that were looked at"
            )
        found = _whole(known, whole) if numbers.kind == INT.name else None
        found = found or (_fraction(known) if numbers.kind == FLOAT.name else None)
        found = found or Typed(known, "number", numbers.kind)
        words = (*nulls, *numbers.nulls)
        return replace(found, nulls=words, doubt=doubt, stray=numbers.stray)
    formats = format_of(column.counts[0].slice(0, 2_000).to_pylist())
    if formats:
        first = formats[0]
        other = next((f for f in formats if f.split("%H")[0] != first.split("%H")[0]), None)
        doubt = "" if other is None else f"{first} was taken; {other} fits, too"
        return Typed(column, "time", BYTES.name, (_time(first),), first, nulls, doubt)
    return _mostly_times(column, nulls) or Typed(column, "text", BYTES.name, nulls=nulls)


def _mostly_times(column: ColumnValues, nulls: tuple[str, ...]) -> Typed | None:
    """Return texts as times if nearly all of them are, without the others."""
    found = format_of_most(column)
    if found is None:
        return None
    form, others = found
    known = column.without(others.to_pylist())
    stray = known.missing - column.missing
    doubt = (
        f"values such as {others[0].as_py()!r} are not times as {form}: a run rejects their rows,"
        f" {stray:,} of those that were looked at"
    )
    return Typed(known, "time", BYTES.name, (_time(form),), form, nulls, doubt, stray)


def _numbers(column: ColumnValues, kind: str) -> pa.Array:
    """Return texts as numbers, null for the others."""
    numbers = column.numbers
    missing = ~np.isfinite(numbers)
    if kind == INT.name:
        return pa.array(np.where(missing, 0, numbers).astype(np.int64), mask=missing)
    return pa.array(numbers, mask=missing)


def _whole(column: ColumnValues, whole: bool) -> Typed | None:
    """Return integers as booleans or times, if they are; 0 and 1 only where all rows are known."""
    if whole and column.distinct == 2 and sorted(column.counts[0].to_pylist()) == [0, 1]:
        return Typed(column, "boolean", INT.name, ("bool_domain {}",))
    if column.present and _TIME_NAME.search(column.name):
        bounds = pc.min_max(column.array)
        for unit, ticks in _UNIX:
            if _FIRST * ticks <= bounds["min"].as_py() <= bounds["max"].as_py() <= _LAST * ticks:
                return Typed(
                    column, "time", INT.name, (f"time_domain {{ integer_format: {unit} }}",)
                )
    return None


def _integers(column: ColumnValues) -> Typed:
    numbers = column.array.cast(pa.int64(), safe=False)
    bounds = pc.min_max(column.array)
    if column.present and max(-bounds["min"].as_py(), bounds["max"].as_py()) > LARGEST_INTEGER:
        return Typed(column, "other", doubt="it has integers beyond 2^53; write them as text")
    column = ColumnValues(column.name, numbers)
    return _whole(column, whole=False) or Typed(column, "number", INT.name)


def _floats(column: ColumnValues) -> Typed:
    numbers = column.array.cast(pa.float64(), safe=False)
    known = numbers.fill_null(np.nan).to_numpy(zero_copy_only=False)
    missing = ~np.isfinite(known)
    some = known[~missing]
    # pandas writes integers as floats where some are missing
    whole = len(some) and (some == np.floor(some)).all() and np.abs(some).max() <= LARGEST_INTEGER
    if whole and missing.any():
        array = pa.array(np.where(missing, 0, known).astype(np.int64), mask=missing)
        return Typed(ColumnValues(column.name, array), "number", INT.name)
    return _fraction(ColumnValues(column.name, pa.array(known, mask=missing)))


def _fraction(column: ColumnValues) -> Typed:
    """Return fractions as FLOAT, or with all their digits where float32 makes many of them equal.

    Examples are Unix times with fractions, and cents beyond 2^24.
    """
    values = column.counts[0].to_numpy()
    with np.errstate(over="ignore"):
        singles = values.astype(np.float32)
    if np.isinf(singles).any() or len(np.unique(singles)) > _DISTINCT * len(values):
        return Typed(column, "number", FLOAT.name)
    return Typed(column, "number", BYTES.name, (ALL_DIGITS,))


def _booleans(column: ColumnValues) -> Typed:
    return Typed(column, "boolean", INT.name, ("bool_domain {}",))


def _times(column: ColumnValues) -> Typed:
    stamps = column.array.cast(pa.timestamp("us"), safe=False)
    fraction = pc.not_equal(stamps, pc.floor_temporal(stamps, unit="second"))
    form = f"{_TIME}.%f" if pc.any(fraction).as_py() else _TIME
    return Typed(column, "time", BYTES.name, (_time(form),))


def _dates(column: ColumnValues) -> Typed:
    return Typed(column, "time", BYTES.name, (_time(_TIME.split()[0]),))


def _lists(column: ColumnValues) -> Typed:
    values, lengths, _ = list_arrays.parts(column.array)
    longest = int(lengths.max(initial=1))
    if longest > MOST_VALUES:
        doubt = f"it has a list of {longest:,} values; at most {MOST_VALUES:,} are possible"
        return Typed(column, "other", doubt=doubt)
    most = min(max(2 * longest, 2), MOST_VALUES)
    elements = typed(replace(column, array=values), whole=False)
    if elements.nature not in ("number", "text", "boolean", "time"):
        return Typed(column, "other", doubt=f"{column.array.type} is not a type of a column")
    digits = ALL_DIGITS in elements.domain  # which lists do not keep
    kind = FLOAT.name if digits else elements.kind
    least = 0
    if kind == FLOAT.name and (size := fixed_length(column.array)) is not None:
        least = most = size
    count = f"value_count {{ min: {least} max: {most} }}"
    return Typed(column, "list", kind, (count, *(() if digits else elements.domain)))


def fixed_length(lists: pa.Array) -> int | None:
    """Return the number of values that all lists have, two or more; None if they differ."""
    lengths = list_arrays.parts(lists.drop_null()).lengths
    size = int(lengths.max(initial=0))
    return size if size > 1 and (lengths == size).all() else None


def _time(form: str) -> str:
    return f"time_domain {{ string_format: {quoted(form)} }}"


_BY_ARROW: tuple[tuple[Callable[[pa.DataType], bool], Callable[[ColumnValues], Typed]], ...] = (
    (pa.types.is_boolean, _booleans),
    (pa.types.is_integer, _integers),
    (pa.types.is_floating, _floats),
    (pa.types.is_decimal, _floats),
    (pa.types.is_timestamp, _times),
    (pa.types.is_date, _dates),
    (list_arrays.is_list, _lists),
)
