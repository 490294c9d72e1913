"""The options of `buckets`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.figures import ColumnFigures
from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import TreatmentOptions
from schemas.types import FLOAT, FLOAT_TEXT, INT, ColumnType


class Buckets(TreatmentOptions):
    """The interval of x between given numbers; a number itself is in the interval above it.

    Id 0 means missing.
    """

    kind: Literal["buckets"] = "buckets"
    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT, FLOAT_TEXT)
    at: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=10_000)]

    @pydantic.field_validator("at")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for one, other in itertools.pairwise(value):
            if not one < other:
                raise ValueError(f"expected ascending numbers, got {other:g} after {one:g}")
        return value

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield the numbers beyond all values: buckets that no row is in."""
        (own,) = figures
        if own.least is None or own.greatest is None:
            return
        beyond = [f"{x:g}" for x in self.at if not own.least < x <= own.greatest]
        if beyond:
            yield (
                f"no value is beyond {', '.join(beyond[:5])}: values are from {own.least:g} to"
                f" {own.greatest:g}; correct `at`"
            )

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the interval's number."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_buckets",
                columns=columns,
                treatment=self.kind,
                role="embedding",
                size=1 + len(self.at) + 1,
            ),
        )
