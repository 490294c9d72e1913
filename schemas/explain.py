"""The section `explain` of pipeline.yaml: how much a run computes to explain its model."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from schemas.strict import Strict

_SWITCH = {"on": True, "off": False}  # where YAML has them in quotes


class Explain(Strict):
    """What the stage `explain` measures; `explain: off` leaves it out.

    Attributes:
      on: whether there is such a stage.
      rows: of the eval and of the train split that are scored with a column permuted; None is
        2,000, or fewer where the table is wide.
      repeats: how many times each column is permuted.
      columns: of how many columns the importance is measured in full, those that move the scores
        most in a first pass.
    """

    on: bool = True
    rows: Annotated[int, Field(ge=20, le=1_000_000)] | None = None
    repeats: Annotated[int, Field(ge=1, le=100)] = 3
    columns: Annotated[int, Field(ge=1, le=1_000)] = 20

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Read `explain: off` and `explain: on`."""
        value = _SWITCH.get(value, value) if isinstance(value, str) else value
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            raise ValueError(f"expected `off`, or keys such as rows: 2000, got {value!r}")
        return {"on": value} if isinstance(value, bool) else value
