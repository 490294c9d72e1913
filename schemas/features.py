"""The section `features:` of pipeline.yaml: what each column becomes."""

from __future__ import annotations

from typing import Any

import pydantic

from schemas.strict import Strict, one_of
from schemas.treatments import NAMES, Treatment

DROP = "drop"


class Feature(Strict):
    """A column, or a selector of columns, and the treatments that turn it into features.

    `schemas.selectors` puts columns in the place of selectors. Without treatments, which
    pipeline.yaml calls `drop`, a column becomes nothing.
    """

    column: str
    treatments: tuple[Treatment, ...]

    @pydantic.field_validator("treatments", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """Read `z_score` and `z_score: {clip: 5}` alike, and `drop` as no treatment."""
        if value == DROP:
            return ()
        if isinstance(value, (list, tuple)) and not value:
            raise ValueError(f"expected a treatment, a list of treatments, or {DROP}, got []")
        entries = value if isinstance(value, (list, tuple)) else [value]
        return tuple(one_of(entry, NAMES, what="treatment") for entry in entries)
