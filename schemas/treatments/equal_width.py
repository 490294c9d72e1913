"""The options of `equal_width`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import FLOAT, FLOAT_TEXT, INT, TIME, TIME_TEXT, ColumnType


class EqualWidth(TreatmentOptions):
    """The interval of x among those of equal width between the training values; 0 if missing.

    Smaller numbers are in the first interval and greater ones in the last.
    """

    kind: Literal["equal_width"] = "equal_width"
    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT, FLOAT_TEXT, TIME, TIME_TEXT)
    buckets: Annotated[int, Field(ge=2, le=10_000)] = 10

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the interval's number."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_equal_width",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + self.buckets,
            ),
        )
