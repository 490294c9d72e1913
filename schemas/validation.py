"""The section `validation:` of pipeline.yaml: rules for the rows, and when the gate stops a run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.strict import Finite, Strict


class Rule(Strict):
    """A condition on each row, or on figures of a split, as an expression of SQL.

    `schemas.rules` parses it. In pipeline.yaml a rule may be the expression alone.
    """

    expression: Annotated[str, Field(min_length=1)]
    share: Annotated[Finite, Field(ge=0, lt=1)] = 0  # of rows that may fail
    severity: Literal["warning", "error"] = "error"
    splits: Annotated[tuple[Literal["train", "eval", "test"], ...], Field(min_length=1)] = (
        "train",
        "eval",
        "test",
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        return {"expression": value} if isinstance(value, str) else value


class Validation(Strict):
    """What stops a run before anything is learnt from the data."""

    stop_at: Literal["error", "warning", "never"] = "error"  # TFDV anomaly severity
    # where features would not fit in memory
    preflight: Literal["stop", "warn", "cap", "off"] = "stop"
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    rules: dict[str, Rule] = Field({})
