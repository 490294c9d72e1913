"""The options of `geohash`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import Combination, each_once
from schemas.types import FLOAT, FLOAT_TEXT, ColumnType

Level = Annotated[int, Field(ge=1, le=8)]


class Geohash(Combination):
    """The cell of a grid that a place is in, at each level: one of `buckets` ids, by hash.

    A cell is what geohashes of `level` characters have in common. 0 is a place that is missing or
    not on Earth.
    """

    kind: Literal["geohash"] = "geohash"
    accepts: ClassVar[tuple[ColumnType, ...]] = (FLOAT, FLOAT_TEXT)
    columns: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]
    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = (4, 5, 6)
    buckets: Annotated[int, Field(ge=2)] = 10_000

    _each_once = pydantic.field_validator("levels")(each_once)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the cell's number at each level, STEM_LEVEL."""
        return tuple(
            TransformedFeature(
                name=f"{self.stem}_{level}",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + self.buckets,
            )
            for level in self.levels
        )
