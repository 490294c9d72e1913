"""The options of `rank`."""

from __future__ import annotations

from typing import Literal

from schemas.treatments.options import ScaledNumber


class Rank(ScaledNumber):
    """The share of training rows below x, or the number with that share in a normal distribution.

    Equal values count half as below: a value of many rows gets the middle of their ranks.
    """

    kind: Literal["rank"] = "rank"
    to: Literal["uniform", "normal"] = "uniform"
