"""Options of all kinds of splits: the shares, and the columns that decide."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from schemas.strict import Strict

# The splits of every dataset, in the order of their numbers.
SPLITS = ("train", "eval", "test")


class SplitOptions(Strict):
    """The shares of the splits; `by` names the kind, which adds its own options."""

    by: str
    train: Annotated[float, Field(gt=0, lt=1)] = 0.70
    eval: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test: Annotated[float, Field(gt=0, lt=1)] = 0.15

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that determine a row's split."""
        raise NotImplementedError

    @property
    def shares(self) -> tuple[float, float, float]:
        """The approximate share of rows for each split, in the order of `SPLITS`."""
        return self.train, self.eval, self.test

    @pydantic.model_validator(mode="after")
    def _sum(self) -> SplitOptions:
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"train + eval + test must be 1, got {sum(self.shares):g}")
        return self
