"""The options of a cross: a treatment of several columns, which also has its own section."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.figures import ColumnFigures
from schemas.layout import TransformedFeature
from schemas.treatments.options import Combination
from schemas.types import CATEGORIES, ColumnType

_CROWDED = 20  # combinations a bucket


class Cross(Combination):
    """The hash of several columns' values together; missing values are values, too."""

    kind: Literal["cross"] = "cross"
    accepts: ClassVar[tuple[ColumnType, ...]] = CATEGORIES
    buckets: Annotated[int, Field(ge=2)] = 1000

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield that far more combinations than buckets may occur."""
        counts = [own.distinct for own in figures if own.distinct is not None]
        possible = min(math.prod(counts), min(own.values for own in figures))
        if len(counts) == len(figures) and possible > _CROWDED * self.buckets:
            yield (
                f"up to {possible:,} combinations share {self.buckets:,} buckets; raise buckets to"
                f" {possible:,}, or cross columns with fewer values"
            )

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
