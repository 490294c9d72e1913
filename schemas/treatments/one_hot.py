"""The options of `one_hot`."""

from __future__ import annotations

from typing import Literal

from schemas.treatments.options import Indicators


class OneHot(Indicators):
    """A number a frequent value, 1 if x is that value; 0 for other values, and if missing."""

    kind: Literal["one_hot"] = "one_hot"
