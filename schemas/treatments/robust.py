"""The options of `robust`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.strict import Finite
from schemas.treatments.options import ScaledNumber


class Robust(ScaledNumber):
    """y = (x - median) / interquartile range, smoothly clipped: y / sqrt(1 + (y / clip)^2).

    The formula is that of RealMLP (Holzmüller et al. 2024, arXiv:2407.04491). Where half of the
    rows have one value, half of the whole range replaces the interquartile range.
    """

    kind: Literal["robust"] = "robust"
    clip: Annotated[Finite, Field(gt=0)] = 3.0
