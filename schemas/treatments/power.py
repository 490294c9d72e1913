"""The options of `power`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.strict import Finite
from schemas.treatments.options import ScaledNumber


class Power(ScaledNumber):
    """The power of x that is most like a normal distribution, with mean 0 and variance 1.

    The powers are those of Yeo and Johnson (2000), which take negative numbers; the exponent is the
    likeliest one.
    """

    kind: Literal["power"] = "power"
    clip: Annotated[Finite, Field(gt=0)] = 10.0
