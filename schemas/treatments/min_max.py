"""The options of `min_max`."""

from __future__ import annotations

from typing import Literal

import pydantic

from schemas.strict import Finite
from schemas.treatments.options import ScaledNumber, Share, ascending


class MinMax(ScaledNumber):
    """The place of x between two ends, as a number in `range`; x beyond an end counts as the end.

    The ends are training quantiles, 0 and 1 of which are the smallest and the greatest value; or
    `values`.
    """

    kind: Literal["min_max"] = "min_max"
    range: tuple[Finite, Finite] = (0.0, 1.0)
    quantiles: tuple[Share, Share] = (0.0, 1.0)
    values: tuple[Finite, Finite] | None = None

    _ascending = pydantic.field_validator("range", "quantiles", "values")(ascending)

    @pydantic.model_validator(mode="after")
    def _one_pair_of_ends(self) -> MinMax:
        if self.values is not None and self.quantiles != (0, 1):
            raise ValueError("`values` and `quantiles` both give the ends: keep one of them")
        return self
