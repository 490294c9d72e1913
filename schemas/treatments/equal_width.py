"""The options of `equal_width`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.figures import ColumnFigures
from schemas.layout import TransformedFeature
from schemas.treatments.options import TreatmentOptions
from schemas.types import FLOAT, FLOAT_TEXT, INT, TIME, TIME_TEXT, ColumnType


class EqualWidth(TreatmentOptions):
    """The interval of x among those of equal width between the training values; 0 if missing.

    Smaller numbers are in the first interval and greater ones in the last.
    """

    kind: Literal["equal_width"] = "equal_width"
    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT, FLOAT_TEXT, TIME, TIME_TEXT)
    buckets: Annotated[int, Field(ge=2, le=10_000)] = 10

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield that outliers leave all but a few rows in one bucket."""
        (own,) = figures
        if own.least is None or own.greatest is None or not own.quantiles:
            return
        within = (own.greatest - own.least) / self.buckets
        inner = own.quantiles[1:-1]
        if (
            within > 0
            and inner
            and int((inner[0] - own.least) / within) == int((inner[-1] - own.least) / within)
        ):
            yield (
                f"values from {own.least:g} to {own.greatest:g} have outliers: nearly all rows are"
                " in one bucket; use quantile_buckets, or clip them by prepare.outliers"
            )

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the interval's number."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_equal_width",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + self.buckets,
            ),
        )
