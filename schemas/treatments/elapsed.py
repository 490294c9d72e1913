"""The options of `elapsed`."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import TreatmentOptions
from schemas.types import TIME, TIME_TEXT, ColumnType

Unit = Literal["seconds", "minutes", "hours", "days", "weeks"]


def _date(value: Any) -> Any:
    if value is None:
        return None
    # A number would be read as seconds since 1970.
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            value = repr(value)
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise ValueError(f"expected a date such as 2014-01-01, got {value}")
    return value


Date = Annotated[
    datetime.date,
    Field(ge=datetime.date(1685, 1, 1), le=datetime.date(2254, 12, 31)),
    pydantic.BeforeValidator(_date),
]


class Elapsed(TreatmentOptions):
    """The time since a date, midnight in UTC, or since another column, scaled as by `z_score`.

    It is negative before then, and 0 if a time is missing, which is flagged.
    """

    kind: Literal["elapsed"] = "elapsed"
    accepts: ClassVar[tuple[ColumnType, ...]] = (TIME, TIME_TEXT)
    since: Date | None = None
    since_column: str | None = None
    unit: Unit = "days"
    log1p: bool = False  # take sign(x) * log(1 + |x|): for long tails
    standardize: bool = True
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    @pydantic.model_validator(mode="after")
    def _one_start(self) -> Elapsed:
        if (self.since is None) == (self.since_column is None):
            raise ValueError("expected `since`, a date, or `since_column`, a column of times")
        return self

    @property
    def others(self) -> tuple[str, ...]:
        """The column to count from, if it is one."""
        return () if self.since_column is None else (self.since_column,)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the time, COLUMN_elapsed or COLUMN_since_OTHER, and the missing flag."""
        name = "_since_".join(columns) if self.others else f"{columns[0]}_elapsed"
        return tuple(
            TransformedFeature(name=each, columns=columns, treatment=self.kind, role="dense")
            for each in (name, f"{name}_missing")
        )
