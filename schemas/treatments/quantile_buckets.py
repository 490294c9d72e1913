"""The options of `quantile_buckets`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import NUMBERS, TreatmentOptions
from schemas.types import ColumnType


class QuantileBuckets(TreatmentOptions):
    """The bucket of x between training quantiles; id 0 means missing."""

    kind: Literal["quantile_buckets"] = "quantile_buckets"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    buckets: Annotated[int, Field(ge=2, le=10_000)] = 10

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the bucket's number."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_bucket",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + self.buckets,
            ),
        )
