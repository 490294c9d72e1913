"""What transform and train have learned about the label, read from the model's folder."""

from __future__ import annotations

import json
import os
from typing import Any

from components import files
from schemas import layout

TRAINING_FILE = "training.json"
CORRECTION = "correction"  # what is added to the logit of each class, if classes were sampled


def read_learned(trained: str) -> dict[str, Any]:
    """Return the values by name, those of the transform graph before those of training."""
    values: dict[str, Any] = {}
    for name, key in ((layout.FILE_NAME, "label_learned"), (TRAINING_FILE, "labels")):
        values |= json.loads(files.read_bytes(os.path.join(trained, name))).get(key, {})
    return values
