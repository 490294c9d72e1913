"""The section `evaluation` of pipeline.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.strict import Strict
from schemas.tasks import KINDS, Thresholds


class Evaluation(Strict):
    """How the model is judged."""

    thresholds: Thresholds = Field(default_factory=KINDS[0].THRESHOLDS)
    slices: tuple[str, ...] = ()
    min_slice_examples: Annotated[int, Field(ge=1)] = 30
