"""The options of `random_projection`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.treatments.options import Projection


class RandomProjection(Projection):
    """Sums of standardized columns with random weights, which keep distances on the whole.

    The weights of `gaussian` are normal (Johnson and Lindenstrauss); those of `sparse` are mostly 0
    and otherwise of one size, with either sign (Li, Hastie and Church 2006, "Very sparse random
    projections").
    """

    kind: Literal["random_projection"] = "random_projection"
    components: Annotated[int, Field(ge=1, le=1_000)] = 8
    weights: Literal["gaussian", "sparse"] = "gaussian"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
