"""The options of `date_parts`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.holidays import Holidays
from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions, each_once
from schemas.types import TIME, TIME_TEXT, ColumnType
from schemas.zones import UTC, Zone

Part = Literal[
    "year",
    "iso_year",
    "quarter",
    "month",
    "week",
    "day_of_year",
    "day",
    "weekday",
    "hour",
    "minute",
    "second",
    "is_weekend",
    "is_month_start",
    "is_month_end",
]
FIRST_YEAR = 1684  # of times within 2**53 microseconds of 1970
_YEARS = 2255 - FIRST_YEAR + 1
# How many values each part has.
SIZES: dict[str, int] = {
    "year": _YEARS,
    "iso_year": _YEARS,
    "quarter": 4,
    "month": 12,
    "week": 53,
    "day_of_year": 366,
    "day": 31,
    "weekday": 7,
    "hour": 24,
    "minute": 60,
    "second": 60,
    "is_weekend": 2,
    "is_month_start": 2,
    "is_month_end": 2,
}


class DateParts(TreatmentOptions):
    """The parts of a time on the clocks of `zone`, an id each.

    0 is missing; then follow the part's values in order, and no before yes. `holidays` adds a part:
    1 is an ordinary day, then follow the names of holidays in order.
    """

    kind: Literal["date_parts"] = "date_parts"
    accepts: ClassVar[tuple[ColumnType, ...]] = (TIME, TIME_TEXT)
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = ("month", "day", "weekday", "hour")
    zone: Zone = UTC
    holidays: Holidays = ()

    _each_once = pydantic.field_validator("parts")(each_once)

    @property
    def holiday_names(self) -> tuple[str, ...]:
        """The names of holidays, each once, sorted; one of them may be empty."""
        return tuple(sorted({name for _, name in self.holidays}))

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the number of each part, and of the holiday."""
        sizes: dict[str, int] = {part: SIZES[part] for part in self.parts}
        if self.holidays:
            sizes["holiday"] = 1 + len(self.holiday_names)
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{part}",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + size,
            )
            for part, size in sizes.items()
        )
