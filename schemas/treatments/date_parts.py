"""The options of `date_parts`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import TIME, TIME_TEXT, ColumnType

Part = Literal[
    "month", "day", "weekday", "hour", "minute", "second", "quarter", "week", "day_of_year"
]
# How many values each part has.
SIZES: dict[str, int] = {
    "month": 12,
    "day": 31,
    "weekday": 7,
    "hour": 24,
    "minute": 60,
    "second": 60,
    "quarter": 4,
    "week": 53,
    "day_of_year": 366,
}


class DateParts(TreatmentOptions):
    """The parts of a time in UTC, an id each: 0 for missing, then the part's values in order."""

    kind: Literal["date_parts"] = "date_parts"
    accepts: ClassVar[tuple[ColumnType, ...]] = (TIME, TIME_TEXT)
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = ("month", "day", "weekday", "hour")

    @pydantic.field_validator("parts")
    @classmethod
    def _once(cls, value: tuple[Part, ...]) -> tuple[Part, ...]:
        for part in value:
            if value.count(part) > 1:
                raise ValueError(f"the part {part!r} is listed twice")
        return value

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the number of each part."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{part}",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + SIZES[part],
            )
            for part in self.parts
        )
