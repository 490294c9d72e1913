"""The proof that serving gives what training computed."""

from __future__ import annotations

from typing import Any

from pipeline.report.cards import missing
from pipeline.report.record import Record

_DIFFERENCES = 50


def card(record: Record) -> dict[str, Any]:
    """Return the parity table, its questions and the largest differences."""
    parity = record.summary.parity
    if parity is None:
        return missing.after(record, "parity", "Comparisons of the serving paths")
    return {
        "proven": parity["proven"],
        "real": parity["real_rows"],
        "by_split": {split: rows for split, rows in parity["real_by_split"].items() if rows},
        "adversarial": parity["adversarial_rows"],
        "tolerance": parity["relative_tolerance"],
        "paths": parity["serving_paths"],
        "questions": parity["questions"],
        "failures": parity["failures"],
        "differences": parity["differences"][:_DIFFERENCES],
    }
