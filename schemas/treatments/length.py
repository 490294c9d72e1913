"""The options of `length`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.columns import Column
from schemas.strict import Finite
from schemas.treatments.options import ScaledNumber, require_list
from schemas.types import TYPES, ColumnType


class Length(ScaledNumber):
    """The number of values in a list, with mean 0 and variance 1; 0 and a flag if it is missing."""

    kind: Literal["length"] = "length"
    accepts: ClassVar[tuple[ColumnType, ...]] = tuple(TYPES.values())
    accepts_lists: ClassVar[bool] = True
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    def check(self, column: Column, *, where: str) -> None:
        """Check that the column has lists."""
        require_list(self.kind, column, "text_shape for the length of a text", where=where)
