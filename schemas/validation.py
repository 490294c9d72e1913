"""The section `validation:` of pipeline.yaml: when the gate stops a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.strict import Strict


class Validation(Strict):
    """What stops a run before anything is learnt from the data."""

    stop_at: Literal["error", "warning", "never"] = "error"  # TFDV anomaly severity
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
