"""The cards of a run's report, in their order: each a function from a run's record to JSON.

A card that has nothing to show returns `missing` and one sentence that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.report.cards import (
    changes,
    columns,
    data,
    metrics,
    proof,
    reproduce,
    slices,
    stages,
    training,
    verdict,
    why,
)
from pipeline.report.record import Record

Card = Callable[[Record], dict[str, Any]]

CARDS: dict[str, tuple[str, Card]] = {
    "verdict": ("Verdict", verdict.card),
    "changes": ("What changed", changes.card),
    "stages": ("Stages", stages.card),
    "data": ("Data", data.card),
    "columns": ("Columns", columns.card),
    "training": ("Training", training.card),
    "metrics": ("Metrics", metrics.card),
    "slices": ("Slices", slices.card),
    "why": ("Why", why.card),
    "proof": ("Proof", proof.card),
    "reproduce": ("Reproduce", reproduce.card),
}
