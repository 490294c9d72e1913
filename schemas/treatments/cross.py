"""The options of a cross: a treatment of several columns, which also has its own section."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import Combination
from schemas.types import CATEGORIES, ColumnType


class Cross(Combination):
    """The hash of several columns' values together; missing values are values, too."""

    kind: Literal["cross"] = "cross"
    accepts: ClassVar[tuple[ColumnType, ...]] = CATEGORIES
    buckets: Annotated[int, Field(ge=2)] = 1000

    @property
    def stem(self) -> str:
        """The transformed feature's name."""
        return self.name or "_x_".join(self.columns)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the bucket's number, for the wide part only."""
        return (
            TransformedFeature(
                name=self.stem,
                columns=columns,
                treatment=self.kind,
                role="wide",
                size=self.buckets,
            ),
        )
