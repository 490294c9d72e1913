"""The options of a split by time."""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal

import pydantic

from schemas.columns import Column, require_type
from schemas.errors import ConfigError
from schemas.splits.options import KeyApart, SharedSplit
from schemas.types import INT, TIME, TIME_TEXT

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MICROSECONDS = 1_000_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Time(KeyApart, SharedSplit):
    """A split by time: the earliest rows are train, then eval, then test.

    The borders are `eval_from` and `test_from`; without them, the shares decide, and the table is
    read once more to find them. Rows of the same time share a split. Rows in the `gap` before a
    border are left out, and counted: what is known of them overlaps with what comes after. Folds
    are blocks of about as many rows in the order of time, fold 0 the earliest.
    """

    by: Literal["time"] = "time"
    column: str
    eval_from: str | None = None  # a date or time in UTC, as 2024-05-31 or 2024-05-31T17:00
    test_from: str | None = None
    gap: str | None = None  # such as 7d or 12h

    @property
    def columns(self) -> tuple[str, ...]:
        """The column and the key."""
        return tuple(dict.fromkeys((self.column, *self.key)))

    @property
    def time_column(self) -> str:
        """The column."""
        return self.column

    @property
    def if_empty(self) -> str:
        """What to do if a split, or a fold, has no rows."""
        return "give splits.eval_from and test_from within the times of the table, or shares"

    @property
    def needed(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def borders(self) -> tuple[int, int] | None:
        """The first time of eval and of test, as examples hold times; None if shares decide."""
        if self.eval_from is None or self.test_from is None:
            return None
        return border(self.eval_from), border(self.test_from)

    @property
    def looks_ahead(self) -> bool:
        """Shares and folds are cut by the times of all rows."""
        return self.borders is None or self.folds is not None

    @property
    def gap_size(self) -> int:
        """The size of the gap, in the unit of examples."""
        return 0 if self.gap is None else gap_size(self.gap)

    @pydantic.field_validator("eval_from", "test_from", "gap", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return value if value is None else str(value)

    @pydantic.model_validator(mode="after")
    def _both(self) -> Time:
        if (self.eval_from is None) != (self.test_from is None):
            raise ValueError("eval_from and test_from need each other; leave out both for shares")
        if self.borders is not None and self.borders[0] >= self.borders[1]:
            raise ValueError(
                f"eval_from has to be before test_from, got {self.eval_from} and {self.test_from}"
            )
        _ = self.gap_size
        return self

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check the type of the column, and that the borders are written as its values are."""
        for column in (each for each in columns if each.name == self.column):
            require_type("splits.column", column, (INT, TIME, TIME_TEXT), where)
            for name in ("eval_from", "test_from", "gap"):
                value = getattr(self, name)
                if value is not None and value.lstrip("-").isdigit() != (column.type is INT):
                    raise ConfigError(
                        f"splits.{name} is {value!r}, but {column.name!r} is {column.type.written}",
                        where=where,
                        expected="a whole number for whole numbers; otherwise a time such as"
                        " 2024-05-31, and a gap such as 7d",
                    )

    def in_words(self) -> str:
        """Return the borders or shares."""
        gap = "" if self.gap is None else f", with a gap of {self.gap}"
        if self.borders is None:
            return f"{self.shares_in_words} in the order of {self.column}{gap}"
        return f"by {self.column}: eval from {self.eval_from}, test from {self.test_from}{gap}"


def border(text: str) -> int:
    """Return a border as examples hold it: a whole number, or microseconds since 1970 in UTC.

    Raises:
      ValueError: it is neither.

    >>> border("1970-01-02"), border("1970-01-01T00:00:01+01:00"), border("17")
    (86400000000, -3599000000, 17)
    """
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    try:
        time = datetime.datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    except ValueError:
        raise ValueError(
            f"expected a date or time such as 2024-05-31 or 2024-05-31T17:00, got {text!r}"
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return (time - _EPOCH) // datetime.timedelta(microseconds=1)


def gap_size(text: str) -> int:
    """Return a gap in microseconds, or as the whole number that it is.

    Raises:
      ValueError: it is neither a number with a unit nor a whole number.

    >>> gap_size("12h"), gap_size("500")
    (43200000000, 500)
    """
    match = re.fullmatch(r"([0-9]+)([smhdw]?)", text)
    if match is None:
        raise ValueError(f"expected a gap such as 90s, 30m, 12h, 7d or 2w, got {text!r}")
    number, unit = int(match[1]), match[2]
    return number * _UNITS[unit] * _MICROSECONDS if unit else number
