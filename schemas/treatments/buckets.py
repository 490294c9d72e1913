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
from schemas.treatments.target_edges import TargetEdges
from schemas.types import FLOAT, FLOAT_TEXT, INT, ColumnType


class Buckets(TargetEdges):
    """The interval of x between given numbers; a number itself is in the interval above it.

    Id 0 means missing. With `edges: target`, the numbers are those between which the label differs
    most; they make up to `bins` intervals.
    """

    kind: Literal["buckets"] = "buckets"
    accepts: ClassVar[tuple[ColumnType, ...]] = (INT, FLOAT, FLOAT_TEXT)
    at: Annotated[tuple[Finite, ...], Field(max_length=10_000)] = ()
    edges: Literal["given", "target"] = "given"
    bins: Annotated[int, Field(ge=2, le=1_000)] = 16

    @pydantic.field_validator("at")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        for one, other in itertools.pairwise(value):
            if not one < other:
                raise ValueError(f"expected ascending numbers, got {other:g} after {one:g}")
        return value

    @pydantic.model_validator(mode="after")
    def _given_or_learned(self) -> Buckets:
        if bool(self.at) == self.takes_label:
            raise ValueError(
                "expected either `at`, the numbers between intervals, or `edges: target`, which"
                f" learns them, got {'both' if self.at else 'neither'}"
            )
        if not self.takes_label and self.bins != type(self).model_fields["bins"].default:
            raise ValueError("bins is that of `edges: target`; `at` alone says how many there are")
        return self

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
                size=1 + (self.bins if self.takes_label else len(self.at) + 1),
            ),
        )
