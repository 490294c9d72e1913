"""The options of `piecewise_linear`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.treatments.options import NUMBERS
from schemas.treatments.target_edges import TargetEdges
from schemas.types import ColumnType


class PiecewiseLinear(TargetEdges):
    """The place of x among training quantiles: its interval's number plus the share below x.

    The deep part unfolds a place into a piecewise-linear code (Gorishniy et al. 2022,
    arXiv:2203.05556); the wide part takes the number of the interval, 0 if missing. A column with
    few values has these as the ends of its intervals, and so has a value of most rows. With
    `edges: target`, intervals are those in which the label differs most.
    """

    kind: Literal["piecewise_linear"] = "piecewise_linear"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    bins: Annotated[int, Field(ge=2, le=1_000)] = 24
    edges: Literal["quantiles", "target"] = "quantiles"

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the place and the number of the interval."""
        return (
            TransformedFeature(
                name=f"{columns[0]}_place",
                columns=columns,
                treatment=self.kind,
                role="place",
                size=self.bins,
            ),
            TransformedFeature(
                name=f"{columns[0]}_bin",
                columns=columns,
                treatment=self.kind,
                role="wide",
                size=1 + self.bins,
            ),
        )
