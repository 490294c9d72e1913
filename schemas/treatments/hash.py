"""The options of `hash`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import IdsOfValues
from schemas.types import CATEGORIES, FLOAT, ColumnType


class HashBuckets(IdsOfValues):
    """The id of a value by its hash, from 1: nothing is learned, so new values have ids, too.

    Id 0 means missing. A list gets an id a value; a missing list the id 0 alone, an empty one none.
    """

    kind: Literal["hash"] = "hash"
    accepts: ClassVar[tuple[ColumnType, ...]] = (*CATEGORIES, FLOAT)
    buckets: Annotated[int, Field(ge=2, le=10_000_000)] = 1_000
    salt: str = ""  # what values are written after: another one makes other values collide

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the bucket's number."""
        return self._ids(f"{columns[0]}_hash", columns, 1 + self.buckets)
