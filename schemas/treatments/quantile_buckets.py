"""The options of `quantile_buckets`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.figures import ColumnFigures
from schemas.layout import TransformedFeature
from schemas.treatments.options import NUMBERS, TreatmentOptions
from schemas.types import ColumnType


class QuantileBuckets(TreatmentOptions):
    """The bucket of x between training quantiles; id 0 means missing."""

    kind: Literal["quantile_buckets"] = "quantile_buckets"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    buckets: Annotated[int, Field(ge=2, le=10_000)] = 10

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield that nearly all values are equal, so that nearly all rows are in one bucket."""
        (own,) = figures
        if own.quantiles and (share := own.share_of_one_value) > 1 - 1 / self.buckets:
            yield (
                f"about {share:.0%} of the values are equal, so at most one of the"
                f" {self.buckets} buckets has fewer rows; use vocabulary, or fewer buckets"
            )

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
