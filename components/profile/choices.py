"""Decides what each column of a table becomes for the model, with a reason for each.

A decision is cautious: a column of which most requests would have a new value, such as an
identifier, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from components.profile.association import codes_of, uncertainty
from components.profile.types import ALL_DIGITS, Typed, fixed_length
from components.profile.values import mean_words, skewness
from schemas.types import FLOAT, INT

_FEW = 30  # different numbers that no identifier has so few of
_SKEWED = 2.0
# Exact numbers are categories, too, where there are so few of them and so many rows of each.
_EXACT, _EXACT_SKEWED, _ROWS_OF_EXACT = 64, 128, 50
_RARE, _RARE_OF_FEW = 20, 5  # rows of a text, below which it is unknown; in tables with few rows
_MANY_ROWS = 2_000
_WORDS = 3.0  # of a text that is prose rather than a name
_MOSTLY = 0.5  # distinct values a row, from which on a text is not a category
_EMPTY = 0.99
_LEAK = 0.98  # share of the label that a column explains, from which on it is the label itself
_ID = re.compile(r"(?i)(^|[_\s.-])(id|key|uuid|guid|nr|no|number|index|unnamed: 0)$|[a-z]I[dD]$|^$")


@dataclass(frozen=True)
class ColumnChoice:
    """What a column becomes.

    Attributes:
      typed: the column.
      treatments: as in pipeline.yaml; none if the column is left out.
      reason: why, in a few words.
      doubt: what a person should look at, or "".
      is_key: whether it names a row, or what several rows belong to.
      explained: the share of the label that it alone explains.
    """

    typed: Typed
    treatments: tuple[str, ...] = ()
    reason: str = ""
    doubt: str = ""
    is_key: bool = False
    explained: float = 0.0

    @property
    def name(self) -> str:
        """The column's name."""
        return self.typed.column.name

    @property
    def missing(self) -> float:
        """The share of rows without a value."""
        return self.typed.column.missing / max(self.typed.column.rows, 1)

    @property
    def repeats(self) -> bool:
        """Whether several rows share a value."""
        return self.typed.column.distinct < self.typed.column.present


def choose(column: Typed, label: np.ndarray) -> ColumnChoice:
    """Return what a column becomes.

    Args:
      column: with its type.
      label: a code of each row's label, int [rows].
    """
    values = column.column
    if column.nature == "other":
        return ColumnChoice(column, reason=column.doubt)
    if not values.present or values.missing > _EMPTY * values.rows:
        return ColumnChoice(
            column, reason="it has hardly any value" if values.present else "it is empty"
        )
    if column.nature != "list" and values.distinct == 1 and not values.missing:
        return ColumnChoice(column, reason=f"it is always {values.top(1)[0]!r}")
    choice = _BY_NATURE[column.nature](column)
    if column.doubt:
        choice = replace(choice, doubt=column.doubt)
    return _without_leak(choice, label) if choice.treatments else choice


def _without_leak(choice: ColumnChoice, label: np.ndarray) -> ColumnChoice:
    """Leave a column out that alone decides the label."""
    if choice.typed.nature == "list":
        return choice
    share = uncertainty(label, codes_of(choice.typed))
    if share < _LEAK:
        return replace(choice, explained=share)
    return replace(
        choice,
        treatments=(),
        reason="it alone decides the label: it may be known only afterwards",
        doubt=f"it explains {share:.0%} of the label: add it if requests have it",
    )


def _number(column: Typed) -> ColumnChoice:
    values = column.column
    whole = column.kind == INT.name
    if whole and _is_identifier(column):
        return ColumnChoice(column, reason=_identifier(column), is_key=True)
    skewed = abs(skewness(values.numbers)) > _SKEWED
    scaled = "z_score: {log1p: true}" if skewed else "z_score"
    tail = "a long tail" if skewed else "a number"
    if values.distinct <= 2:
        return ColumnChoice(column, (scaled,), "two values")
    treatments: tuple[str, ...] = (scaled, "piecewise_linear")
    few = values.distinct <= (_EXACT_SKEWED if skewed else _EXACT)
    if (
        few
        and ALL_DIGITS not in column.domain
        and values.distinct * _ROWS_OF_EXACT <= values.present
    ):
        treatments += ("vocabulary: {min_count: 5}",)
        tail = f"{tail} of {values.distinct} different values"
    return ColumnChoice(column, treatments, tail)


def _boolean(column: Typed) -> ColumnChoice:
    return ColumnChoice(column, ("vocabulary",), "yes or no")


def _time(column: Typed) -> ColumnChoice:
    has_clock = any(part in column.domain[0] for part in ("%H", "%I", "SECONDS"))
    parts = "date_parts" if has_clock else "date_parts: {parts: [month, day, weekday]}"
    return ColumnChoice(column, (parts, "z_score"), "a time" if has_clock else "a date")


def _list(column: Typed) -> ColumnChoice:
    if column.kind == FLOAT.name:
        size = fixed_length(column.column.array)
        if size is None:
            return ColumnChoice(column, reason="lists of fractions, of different lengths")
        return ColumnChoice(column, (f"vector: {{size: {size}}}",), f"{size} numbers a row")
    if any(each.startswith("time_domain") for each in column.domain):
        return ColumnChoice(column, ("length",), "a list of times")
    return ColumnChoice(column, ("vocabulary: {min_count: 2}",), "a list")


def _text(column: Typed) -> ColumnChoice:
    values = column.column
    distinct, present = values.distinct, values.present
    if distinct > _MOSTLY * present:
        words = mean_words(values)
        if words >= _WORDS:
            treatments = ("bag_of_words", "text_shape")
            return ColumnChoice(column, treatments, f"free text of about {words:.0f} words")
        names_rows = distinct == present and words <= 1.5
        return ColumnChoice(
            column,
            reason=f"{distinct:,} different values in {present:,} rows",
            is_key=names_rows or bool(_ID.search(values.name)),
        )
    if _ID.search(values.name) and distinct > 1000:
        return ColumnChoice(column, reason=_identifier(column), is_key=True)
    rare = _RARE if present >= _MANY_ROWS else _RARE_OF_FEW
    is_long = distinct > 2 and values.counts[1][-1] < rare
    options = f": {{min_count: {rare}}}" if is_long else ""
    return ColumnChoice(column, (f"vocabulary{options}",), f"{distinct:,} different values")


def _is_identifier(column: Typed) -> bool:
    values = column.column
    if _ID.search(values.name):
        return values.distinct > max(_FEW, 0.02 * values.present)
    if values.distinct < values.present or values.present < 100:
        return False
    steps = np.diff(values.array.drop_null().to_numpy())
    return bool((steps == 1).mean() > 0.9)


def _identifier(column: Typed) -> str:
    values = column.column
    if values.distinct == values.present:
        return "it names a row"
    return f"an identifier: {values.distinct:,} of them in {values.present:,} rows"


_BY_NATURE: dict[str, Callable[[Typed], ColumnChoice]] = {
    "number": _number,
    "boolean": _boolean,
    "time": _time,
    "list": _list,
    "text": _text,
}
