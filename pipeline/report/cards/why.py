"""Why the model answers as it does: importance, dependence and leaks, as they were measured."""

from __future__ import annotations

from typing import Any

from pipeline.report.cards import missing
from pipeline.report.record import Record

_NODE, _CHANNEL = "explain", "explanation"
_FILE = "explanation.json"


def card(record: Record) -> dict[str, Any]:
    """Return what was measured of the columns' influence."""
    found = record.json(_NODE, _CHANNEL, _FILE)
    if found is not None:
        return dict(found)
    if all(stage.name != _NODE for stage in record.summary.stages):
        return {"missing": "The run has no stage that measures what the answers depend on."}
    return missing.after(record, _NODE, "Measurements of the columns' influence")
