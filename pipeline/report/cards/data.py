"""The data: rows read, dropped and rejected, the splits, anomalies and drift."""

from __future__ import annotations

import os
from typing import Any

from pipeline.report.cards import missing
from pipeline.report.record import Record

_DRIFT = 12  # the largest ones, relative to their thresholds


def card(record: Record) -> dict[str, Any]:
    """Return the counts of rows, and what validation found."""
    summary = record.summary
    if summary.counts is None:
        return missing.after(record, "ingest", "Counts of rows")
    page = summary.data_page
    return {
        "counts": {k: v for k, v in summary.counts.items() if k not in ("splits", "sampled")},
        "splits": [
            {"name": name, "rows": rows, **_facts(summary.counts, name)}
            for name, rows in summary.counts["examples"].items()
        ],
        "label": record.spec.get("label", {}).get("name"),
        "budget": record.spec.get("validation", {}).get("max_rejected_fraction"),
        "findings": list(summary.findings),
        "rules": list(summary.rules),
        "drift": sorted(summary.drift, key=_nearness, reverse=True)[:_DRIFT],
        "page": None if page is None else os.path.basename(page),
    }


def _facts(counts: dict[str, Any], split: str) -> dict[str, Any]:
    facts = counts.get("splits", {}).get(split, {})
    return {"label": facts.get("label", {}), "time": facts.get("time")}


def _nearness(drift: dict[str, Any]) -> float:
    """Return how near a drift is to its threshold."""
    return float(drift["value"] / drift["threshold"]) if drift["threshold"] else 0.0
