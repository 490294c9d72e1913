"""The options of `z_score`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import AfterValidator, Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import NUMBERS, Share, TreatmentOptions, ascending
from schemas.types import ColumnType


class ZScore(TreatmentOptions):
    """(x - mean) / standard deviation, clipped to ±`clip`; 0 and a missing flag if missing.

    With `clip_values` or `clip_quantiles`, x beyond an end counts as the end before, also for the
    mean.
    """

    kind: Literal["z_score"] = "z_score"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    log1p: bool = False  # take sign(x) * log(1 + |x|) first: for long tails
    clip: Annotated[Finite, Field(gt=0)] = 10.0
    clip_values: Annotated[tuple[Finite, Finite], AfterValidator(ascending)] | None = None
    clip_quantiles: Annotated[tuple[Share, Share], AfterValidator(ascending)] | None = None

    @pydantic.model_validator(mode="after")
    def _one_pair_of_ends(self) -> ZScore:
        if self.clip_values and self.clip_quantiles:
            raise ValueError("`clip_values` and `clip_quantiles` both give the ends: keep one")
        return self

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the scaled number and the missing flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{suffix}", columns=columns, treatment=self.kind, role="dense"
            )
            for suffix in ("z_score", "missing")
        )
