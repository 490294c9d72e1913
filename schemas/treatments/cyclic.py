"""The options of `cyclic`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions, each_once
from schemas.types import TIME, TIME_TEXT, ColumnType
from schemas.zones import UTC, Zone

Period = Literal["hour", "day", "week", "month", "year"]


class Cyclic(TreatmentOptions):
    """Sine and cosine of the share of a period that has passed, as an angle.

    The end of a period is as near to its beginning as any other two moments: 23:59 to 0:00. Both
    are 0 if the time is missing, which no time has. Months and years count by their own length.
    """

    kind: Literal["cyclic"] = "cyclic"
    accepts: ClassVar[tuple[ColumnType, ...]] = (TIME, TIME_TEXT)
    periods: Annotated[tuple[Period, ...], Field(min_length=1)] = ("day", "week", "year")
    zone: Zone = UTC

    _each_once = pydantic.field_validator("periods")(each_once)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return sine and cosine of each period."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_cyclic_{period}_{function}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for period in self.periods
            for function in ("sin", "cos")
        )
