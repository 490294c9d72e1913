"""What transform, train and calibrate have learned about the label, from the model's folder."""

from __future__ import annotations

import json
import os
from typing import Any

from components import files
from schemas import layout

TRAINING_FILE = "training.json"
CALIBRATION_FILE = "calibration.json"  # only of a model that was calibrated
CORRECTION = "correction"  # what is added to the logit of each class, if classes were sampled
CONFORMAL = "conformal"  # the threshold of intervals and sets, if these are wanted
CALIBRATION = "calibrator"  # the function of the logits, if one was fitted


def read_learned(trained: str) -> dict[str, Any]:
    """Return the values by name, those of the transform graph first, those of calibrate last."""
    values: dict[str, Any] = {}
    for name, key in ((layout.FILE_NAME, "label_learned"), (TRAINING_FILE, "labels")):
        values |= json.loads(files.read_bytes(os.path.join(trained, name))).get(key, {})
    calibration = os.path.join(trained, CALIBRATION_FILE)
    if files.is_file(calibration):
        fitted = json.loads(files.read_bytes(calibration))
        found = {key: fitted[key] for key in (CALIBRATION, CONFORMAL)}
        values |= {key: value for key, value in found.items() if value is not None}
    return values
