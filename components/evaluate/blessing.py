"""The verdict as a ModelBlessing of TFX: a file and custom properties that Pusher reads.

The functions take a `Report` and an artifact. They fill the artifact in the layout of TFX's
Evaluator, and add the reasons.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from components import files
from components.evaluate.published import JUDGED
from components.evaluate.report import Report
from schemas.tasks import BY_NAME

if TYPE_CHECKING:
    from tfx.types import standard_artifacts

BLESSED_FILE = "BLESSED"
NOT_BLESSED_FILE = "NOT_BLESSED"


def record_blessing(
    report: Report,
    blessing: standard_artifacts.ModelBlessing,
    *,
    model: standard_artifacts.Model,
    digest: str,
) -> None:
    """Write the blessing's file and set its custom properties.

    Beside the stock properties (`blessed`, `current_model`, `current_model_id`, `baseline_model`)
    `reasons` has the reasons not to bless the model as a JSON list, and `saved_model` has the
    digest of the SavedModel that was judged. The file contains the digest, too.
    """
    name = BLESSED_FILE if report.blessed else NOT_BLESSED_FILE
    files.write_whole(os.path.join(blessing.uri, name), f"{digest}\n")
    blessing.set_int_custom_property("blessed", int(report.blessed))
    blessing.set_string_custom_property(JUDGED, digest)
    blessing.set_string_custom_property("current_model", model.uri)
    blessing.set_int_custom_property("current_model_id", model.id)
    if report.last_blessed is not None:
        blessing.set_string_custom_property("baseline_model", report.last_blessed.path)
    reasons = [reason.model_dump() for reason in report.reasons]
    blessing.set_string_custom_property("reasons", json.dumps(reasons))


def record_metrics(report: Report, evaluation: standard_artifacts.ModelEvaluation) -> None:
    """Set the overall metrics as custom properties, so that lineage can be queried by them."""
    for metric in BY_NAME[report.task].judged(report.overall):
        value = report.overall[metric.name]
        if value is not None:
            evaluation.set_float_custom_property(metric.name, value)
    evaluation.set_int_custom_property("examples", report.overall["examples"])
