"""The section `features:` of pipeline.yaml: what each raw column becomes."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic import Field

from schemas.strict import Strict, one_of
from schemas.treatments import NAMES, Treatment


class Feature(Strict):
    """One raw column and the treatments that turn it into transformed features."""

    column: str
    treatments: Annotated[tuple[Treatment, ...], Field(min_length=1)]

    @pydantic.field_validator("treatments", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """Read `z_score` and `z_score: {clip: 5}` alike."""
        entries = value if isinstance(value, (list, tuple)) else [value]
        return tuple(one_of(entry, NAMES, what="treatment") for entry in entries)
