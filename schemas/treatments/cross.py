"""The options of a cross: a treatment of several columns, with its own section."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import CATEGORIES, ColumnType


class Cross(TreatmentOptions):
    """The hash of several columns' values together; missing values are values, too."""

    kind: Literal["cross"] = "cross"
    accepts: ClassVar[tuple[ColumnType, ...]] = CATEGORIES
    columns: Annotated[tuple[str, ...], Field(min_length=2)]
    buckets: Annotated[int, Field(ge=2)] = 1000

    @property
    def name(self) -> str:
        """The transformed feature's name."""
        return "_x_".join(self.columns)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the bucket's number, for the wide part only."""
        return (
            TransformedFeature(
                name=self.name,
                columns=columns,
                treatment=self.kind,
                role="wide",
                size=self.buckets,
            ),
        )
