"""What the values of one column look like: how many, which, how often, and numbers among them.

Texts are read by the converters of the sources, so that a column counts as one of numbers only if a
run can read it as such. Each distinct text is converted once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.sources.cells import convert
from components.sources.rejects import RejectReason
from schemas.columns import SPACES, Column
from schemas.types import FLOAT, FLOAT_TEXT, INT

# Texts that are written for "missing". Some are also words, so they count as missing only in a
# column whose other values are numbers.
SURE_NULLS = ("?", "\\N", "NULL", "null", "#N/A", "<NA>", "NaN", "nan")
NULLS = (*SURE_NULLS, "NA", "N/A", "n/a", "na", "None", "none", "-", "--", "missing", "Null")

_LEADING_ZERO = r"^[+-]?0[0-9]"
# The share of values that may be something else in a column of numbers.
_STRAY = 0.002
_HEAD = 2_000  # distinct texts that may already show that the others need no look


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column in the rows that were looked at.

    Attributes:
      name: the column's.
      array: the values, null where missing; texts, or of the file's type.
      has_type: whether the file's type counts, so that texts are not numbers.
    """

    name: str
    array: pa.Array
    has_type: bool = False

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.array)

    @cached_property
    def missing(self) -> int:
        """How many of them have no value."""
        return int(self.array.null_count)

    @property
    def present(self) -> int:
        """How many of them have one."""
        return self.rows - self.missing

    @cached_property
    def counts(self) -> tuple[pa.Array, np.ndarray]:
        """The distinct values, the most frequent first, and how often each occurs."""
        counted = pc.value_counts(self.array.drop_null())
        values, counts = counted.field(0), counted.field(1).to_numpy()
        order = np.argsort(-counts, kind="stable")
        return values.take(pa.array(order)), counts[order]

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(self.counts[0])

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return pa.types.is_string(self.array.type)

    def top(self, most: int) -> list[str]:
        """Return the most frequent values, as texts."""
        return [str(value) for value in self.counts[0].slice(0, most).to_pylist()]

    @cached_property
    def numbers(self) -> np.ndarray:
        """The values as float64 of shape [rows], NaN where missing or not a number."""
        if self.is_text:
            encoded = self.array.dictionary_encode()
            wide = Column(self.name, FLOAT_TEXT.name, serving=True)
            parsed = convert(encoded.dictionary, wide).values.take(encoded.indices)
        else:
            parsed = self.array.cast(pa.float64())
        return parsed.fill_null(np.nan).to_numpy(zero_copy_only=False)

    def without(self, nulls: Sequence[str]) -> ColumnValues:
        """Return the column with null for these texts."""
        if not (self.is_text and nulls):
            return self
        named = pc.is_in(self.array, value_set=pa.array(list(nulls), pa.string()))
        return replace(self, array=pc.if_else(named, pa.scalar(None, pa.string()), self.array))


@dataclass(frozen=True)
class NumberText:
    """How far a column of texts is one of numbers.

    Attributes:
      kind: INT or FLOAT; None if it is not.
      nulls: the texts in it that mean missing.
      stray: how many other values are not numbers.
      example: one of these.
    """

    kind: str | None
    nulls: tuple[str, ...] = ()
    stray: int = 0
    example: str = ""


def as_numbers(column: ColumnValues) -> NumberText:
    """Return how far a column of texts is one of numbers.

    Texts with leading zeros, such as postcodes, are not numbers.

    >>> as_numbers(ColumnValues("x", pa.array(["1", "2.0", "NA"])))
    NumberText(kind='INT', nulls=('NA',), stray=0, example='')
    >>> as_numbers(ColumnValues("zip", pa.array(["01234", "99999"]))).kind
    """
    whole = _read_as(column, INT.name)
    if whole.kind is not None:
        if pc.any(pc.match_substring_regex(column.counts[0], _LEADING_ZERO)).as_py():
            return NumberText(None)
        if not whole.stray:
            return whole
    fractions = _read_as(column, FLOAT.name)
    # One fraction among whole numbers makes them all fractions, so that its row is not rejected.
    if whole.kind is None or (fractions.kind is not None and fractions.stray < whole.stray):
        return fractions
    return whole


def _read_as(column: ColumnValues, kind: str) -> NumberText:
    texts, counts = column.counts
    # In most columns of texts the most frequent values are more strays than there may be.
    stray = counts[:_HEAD][_misfits(texts.slice(0, _HEAD), column.name, kind).stray].sum()
    if stray > _STRAY * (column.present - stray):
        return NumberText(None)
    found = _misfits(texts, column.name, kind)
    fitting = counts[found.fits].sum()
    if not fitting or counts[found.stray].sum() > _STRAY * fitting:
        return NumberText(None)
    rejected = found.stray | found.infinite
    other = texts.filter(pa.array(rejected)).slice(0, 1).to_pylist()
    nulls = texts.filter(pa.array(found.null)).to_pylist()
    return NumberText(kind, tuple(nulls), int(counts[rejected].sum()), other[0] if other else "")


class _Misfits(NamedTuple):
    """What texts are, bool [texts] each.

    Attributes:
      fits: numbers.
      null: words that mean missing.
      infinite: numbers that are infinite, or too large: a run rejects them.
      stray: all others.
    """

    fits: np.ndarray
    null: np.ndarray
    infinite: np.ndarray
    stray: np.ndarray


def _misfits(texts: pa.Array, name: str, kind: str) -> _Misfits:
    reasons = convert(texts, Column(name, kind, serving=True)).reasons
    words = pc.is_in(pc.ascii_trim(texts, characters=SPACES), value_set=pa.array(NULLS))
    null = (reasons > 0) & words.to_numpy(zero_copy_only=False)
    infinite = reasons == RejectReason.NOT_FINITE
    return _Misfits(reasons == 0, null, infinite, (reasons > 0) & ~null & ~infinite)


def sure_nulls(column: ColumnValues) -> tuple[str, ...]:
    """Return the texts of a column that mean missing, whatever its other values are."""
    if not column.is_text:
        return ()
    texts = column.counts[0]
    present = texts.filter(pc.is_in(texts, value_set=pa.array(SURE_NULLS))).to_pylist()
    return tuple(text for text in SURE_NULLS if text in present)


def mean_words(column: ColumnValues) -> float:
    """Return how many words a text has on average over the distinct ones."""
    texts = column.counts[0].slice(0, 10_000).to_pylist()
    return float(np.mean([len(re.findall(r"\w+", text)) for text in texts])) if texts else 0.0


def skewness(numbers: np.ndarray) -> float:
    """Return the third standardised moment of the numbers that are not NaN."""
    known = numbers[~np.isnan(numbers)]
    deviation = known.std() if len(known) else 0.0
    if not deviation:
        return 0.0
    scaled = (known - known.mean()) / deviation
    return float((scaled * scaled * scaled).mean())  # many times faster than a power
