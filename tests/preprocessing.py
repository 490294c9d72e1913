"""Sections of pipeline.yaml, short forms included, as the transform stage receives them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.transform.preprocessing import Preprocessing
from schemas.features import Feature


def preprocessing_of(
    features: Mapping[str, Any], crosses: Sequence[Any], label: Mapping[str, Any]
) -> Preprocessing:
    """Return the treatments by column, the crosses, and the label."""
    return Preprocessing.loads(sections_of(features, crosses, label))


def sections_of(
    features: Mapping[str, Any], crosses: Sequence[Any], label: Mapping[str, Any]
) -> str:
    """Return the same as JSON."""
    sections = {
        "features": [Feature(column=c, treatments=t).model_dump() for c, t in features.items()],
        "crosses": list(crosses),
        "label": dict(label),
    }
    return json.dumps(sections)
