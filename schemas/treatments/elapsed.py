"""The options of `elapsed`."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.strict import Finite
from schemas.treatments.options import ScaledNumber
from schemas.types import TIME, TIME_TEXT, ColumnType

Unit = Literal["seconds", "minutes", "hours", "days", "weeks"]


def _date(value: Any) -> Any:
    # A number would be read as seconds since 1970.
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            value = repr(value)
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise ValueError(f"expected a date such as 2014-01-01, got {value}")
    return value


class Elapsed(ScaledNumber):
    """The time since a date, midnight in UTC, scaled as by `z_score`.

    Without `log1p` and with `standardize`, it is what `z_score` of the time is.
    """

    kind: Literal["elapsed"] = "elapsed"
    accepts: ClassVar[tuple[ColumnType, ...]] = (TIME, TIME_TEXT)
    since: Annotated[
        datetime.date,
        Field(ge=datetime.date(1685, 1, 1), le=datetime.date(2254, 12, 31)),
        pydantic.BeforeValidator(_date),
    ]
    unit: Unit = "days"
    log1p: bool = False  # take sign(x) * log(1 + |x|): for long tails
    standardize: bool = True
    clip: Annotated[Finite, Field(gt=0)] = 10.0
