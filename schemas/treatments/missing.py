"""The options of `missing`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import NUMBERS, Combination
from schemas.types import BOOL_TEXT, BYTES, ColumnType


class MissingIndicator(Combination):
    """1 if a value of the columns is missing, as they are before `missing:` fills them; else 0."""

    kind: Literal["missing"] = "missing"
    accepts: ClassVar[tuple[ColumnType, ...]] = (*NUMBERS, BYTES, BOOL_TEXT)
    fills_missing: ClassVar[bool] = False
    columns: Annotated[tuple[str, ...], Field(min_length=1)]

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the indicator, named by the columns or by `name`."""
        return (
            TransformedFeature(name=self.stem, columns=columns, treatment=self.kind, role="dense"),
        )
