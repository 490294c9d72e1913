"""The options of `vector`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.columns import MOST_VALUES, Column
from schemas.errors import ConfigError
from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import TreatmentOptions
from schemas.types import BOOL, FLOAT, INT, ColumnType


class Vector(TreatmentOptions):
    """The numbers of a list of fixed length, such as an embedding, each as an input by itself.

    With `standardize`, each place in the list gets (x - mean) / standard deviation, clipped to
    ±`clip`. What a shorter list lacks, and all of a missing one, is 0; a missing or empty list is
    flagged.
    """

    kind: Literal["vector"] = "vector"
    accepts: ClassVar[tuple[ColumnType, ...]] = (FLOAT, INT, BOOL)
    accepts_lists: ClassVar[bool] = True
    size: Annotated[int, Field(ge=2, le=MOST_VALUES)]
    standardize: bool = True
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    def check(self, column: Column, *, where: str) -> None:
        """Check that the column has lists of this length."""
        if column.most != self.size:
            has = f"lists of up to {column.most} values" if column.is_list else "one value a row"
            raise ConfigError(
                f"vector of {column.name!r} has the size {self.size}, but the column has {has}",
                where=where,
                expected="a list of as many numbers in every row",
                remedy=f"write value_count {{ min: {self.size} max: {self.size} }} for it in"
                " schema.pbtxt, or correct the size",
            )

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return each number, and the missing flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{suffix}", columns=columns, treatment=self.kind, role="dense"
            )
            for suffix in (*range(self.size), "missing")
        )
