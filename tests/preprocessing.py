"""Sections of pipeline.yaml, short forms included, as the transform stage receives them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.transform.preprocessing import Preprocessing
from schemas.features import Feature
from schemas.strict import one_of
from schemas.treatments import COMBINATION_NAMES


def preprocessing_of(
    features: Mapping[str, Any],
    crosses: Sequence[Any],
    label: Mapping[str, Any],
    combinations: Sequence[Any] = (),
    missing: Mapping[str, Any] | None = None,
) -> Preprocessing:
    """Return the treatments by column, the crosses, the label, and other combinations."""
    return Preprocessing.loads(sections_of(features, crosses, label, combinations, missing))


def sections_of(
    features: Mapping[str, Any],
    crosses: Sequence[Any],
    label: Mapping[str, Any],
    combinations: Sequence[Any] = (),
    missing: Mapping[str, Any] | None = None,
) -> str:
    """Return the same as JSON."""
    sections = {
        "features": [
            Feature(column=c, treatments=t).model_dump(mode="json") for c, t in features.items()
        ],
        "crosses": list(crosses),
        "combinations": [one_of(c, COMBINATION_NAMES, what="combination") for c in combinations],
        "missing": dict(missing or {}),
        "label": dict(label),
    }
    return json.dumps(sections)
