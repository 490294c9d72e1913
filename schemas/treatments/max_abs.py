"""The options of `max_abs`."""

from __future__ import annotations

from typing import Literal

from schemas.treatments.options import ScaledNumber


class MaxAbs(ScaledNumber):
    """x / the greatest |x| in training, so that 0 stays 0; clipped to ±1."""

    kind: Literal["max_abs"] = "max_abs"
