"""The tables of what validation measured: rules, and drift beside its thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.validate import table
from pipeline.summary import Summary

_SHOWN = 12  # lines of each table
_RULES = ("rule", "split", "measured", "allowed", "")
_DRIFT = ("drift", "from", "to", "measure", "value", "threshold", "by chance", "")
_MEASURES = {
    "L_INFTY": "L-infinity",
    "JENSEN_SHANNON_DIVERGENCE": "Jensen-Shannon",
    "NORMALIZED_ABSOLUTE_DIFFERENCE": "normalized difference",
}


def tables(summary: Summary) -> Iterator[str]:
    """Yield the tables, each as a text of several lines; the worst measures come first."""
    if summary.rules:
        yield _drawn(_RULES, list(_rules(summary)), (28, 6, 44, 36, 8))
    if summary.drift:
        yield _drawn(_DRIFT, list(_drift(summary)), (28, 16, 16, 22, 8, 9, 9, 8))


def _rules(summary: Summary) -> Iterator[tuple[str, ...]]:
    for rule in sorted(summary.rules, key=lambda rule: rule["holds"]):
        mark = "" if rule["holds"] else "BROKEN"
        yield rule["name"], rule["split"], rule["measured"], rule["threshold"], mark


def _drift(summary: Summary) -> Iterator[tuple[str, ...]]:
    for each in sorted(summary.drift, key=_share_of_threshold, reverse=True):
        high = each["value"] > each["threshold"]
        yield (
            each["column"],
            each.get("against", "train"),
            each["split"],
            _MEASURES.get(each["measure"], each["measure"]),
            f"{each['value']:.4f}",
            f"{each['threshold']:g}",
            f"{each['chance']:.4f}",
            ("DRIFTED" if each["value"] > each["chance"] else "chance") if high else "",
        )


def _share_of_threshold(drift: Mapping[str, Any]) -> float:
    return float(drift["value"] / max(drift["threshold"], 1e-9))


def _drawn(header: Sequence[str], rows: Sequence[tuple[str, ...]], widths: Sequence[int]) -> str:
    drawn = table.render(header, rows[:_SHOWN], widths=widths, indent="")
    more = f"\n… and {len(rows) - _SHOWN} more in summary.json" if len(rows) > _SHOWN else ""
    return drawn + more
