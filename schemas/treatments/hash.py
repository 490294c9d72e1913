"""The options of `hash`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import CATEGORIES, FLOAT, ColumnType


class HashBuckets(TreatmentOptions):
    """The id of a value by its hash, from 1: nothing is learned, so new values have ids, too.

    Id 0 means missing. A list gets an id a value; a missing list the id 0 alone, an empty one none.
    """

    kind: Literal["hash"] = "hash"
    accepts: ClassVar[tuple[ColumnType, ...]] = (*CATEGORIES, FLOAT)
    accepts_lists: ClassVar[bool] = True
    buckets: Annotated[int, Field(ge=2, le=10_000_000)] = 1_000
    salt: str = ""  # what values are written after: another one makes other values collide
    # of a list's embeddings; None is the mean
    combine: Literal["mean", "sum", "attention"] | None = None

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the bucket's number."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_hash",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + self.buckets,
            ),
        )
