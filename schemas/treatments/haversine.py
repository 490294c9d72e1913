"""The options of `haversine`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite, Strict
from schemas.treatments.options import Combination
from schemas.types import FLOAT, FLOAT_TEXT, ColumnType


class Point(Strict):
    """A place on Earth with a name, in degrees."""

    name: Annotated[str, Field(min_length=1)]
    latitude: Annotated[Finite, Field(ge=-90, le=90)]
    longitude: Annotated[Finite, Field(ge=-180, le=180)]


class Haversine(Combination):
    """The distance over the Earth's surface in km, scaled as by `z_score`.

    The columns are latitude and longitude, of two places or of one: then it is the distance to each
    point of `to`. It is 0 if a place is missing or not on Earth, which is flagged.
    """

    kind: Literal["haversine"] = "haversine"
    accepts: ClassVar[tuple[ColumnType, ...]] = (FLOAT, FLOAT_TEXT)
    columns: Annotated[tuple[str, ...], Field(min_length=2, max_length=4)]
    to: tuple[Point, ...] = ()
    log1p: bool = True  # take log(1 + km): for long tails
    standardize: bool = True
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    @pydantic.model_validator(mode="after")
    def _two_places(self) -> Haversine:
        if len(self.columns) != (2 if self.to else 4):
            raise ValueError(
                "expected the columns [latitude, longitude, latitude, longitude], or"
                f" [latitude, longitude] and points in `to`, got {len(self.columns)} columns and"
                f" {len(self.to)} points"
            )
        names = [point.name for point in self.to]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two points of `to` have the name {name!r}")
        return self

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the distance STEM, or STEM_POINT to each point, and the flag STEM_missing."""
        names = [f"{self.stem}_{point.name}" for point in self.to] or [self.stem]
        return tuple(
            TransformedFeature(name=name, columns=columns, treatment=self.kind, role="dense")
            for name in (*names, f"{self.stem}_missing")
        )
