"""Why the model answers as it does: importance, dependence and leaks, as they were measured."""

from __future__ import annotations

from typing import Any

from pipeline.report.cards import missing
from pipeline.report.record import Record

FILE_NAME = "why.json"


def card(record: Record) -> dict[str, Any]:
    """Return what was measured of the columns' influence."""
    found = record.json("evaluate", "evaluation", FILE_NAME)
    if found is None:
        return missing.after(record, "evaluate", "Measurements of the columns' influence")
    return dict(found)
