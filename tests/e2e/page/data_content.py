"""The content of a data page with many columns, and with hostile names and values."""

from __future__ import annotations

import random
from typing import Any

HOSTILE = "</script><img src=x onerror=alert(1)>"
SPLITS = ("train", "eval", "test")
FINDING = {
    "column": "number 2",
    "severity": "error",
    "kind": "OUT_OF_RANGE",
    "what": f"values {HOSTILE}",
    "expected": "0 to 1",
    "seen": "1.5",
    "fix": "schema.pbtxt:7",
    "where": "eval",
}


def content(columns: int) -> dict[str, Any]:
    """Return the content of a page with this many columns, a third of them texts."""
    chance = random.Random(5)
    every = [_text(i) if i % 3 == 0 else _number(i, chance) for i in range(columns)]
    names = [column["name"] for column in every if column["kind"] == "number"][:20]
    return {
        "pipeline": HOSTILE,
        "run": "20261130-120000-000000",
        "counts": {
            "records_read": 1000,
            "records_rejected": 7,
            "records_dropped": 3,
            "dropped_by_rule": {"required": 3},
        },
        "splits": [
            {"name": split, "rows": 330, "estimates": [[0.25, 0.2, 0.3]], "times": []}
            for split in SPLITS
        ],
        "outcome": {"name": "y", "classes": [HOSTILE], "weight": None, "sample": 330},
        "findings": [FINDING],
        "columns": every,
        "correlations": {
            "columns": names,
            "matrix": [[1.0 if a == b else -0.5 for a in names] for b in names],
        },
        "rejects": [
            {
                "reason": "not_a_number",
                "column": HOSTILE,
                "rows": 7,
                "samples": [{"source": "a.csv", "line": 9, "value": HOSTILE, "record": HOSTILE}],
            }
        ],
    }


def _column(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "type": "text" if kind == "category" else "number",
        "kind": kind,
        "list": False,
        "serving": True,
        "splits": {split: {"rows": 330, "missing": 0.1} for split in SPLITS},
        "findings": [],
        "drift": [],
    }
    return found | changes


def _number(i: int, chance: random.Random) -> dict[str, Any]:
    edges = [float(edge) for edge in range(25)]
    figures = {
        "mean": 1.5,
        "deviation": 1.0,
        "minimum": 0.0,
        "maximum": 24.0,
        "zeros": 0.2,
        "quantiles": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
    bins = [
        {"kind": "range", "low": 2.0 * k, "high": 2.0 * k + 2, "rows": 33, "estimates": estimates}
        for k, estimates in enumerate([[[0.25, 0.2, 0.3]]] * 10)
    ]
    drift = {
        "split": "eval",
        "measure": "JENSEN_SHANNON_DIVERGENCE",
        "value": chance.random(),
        "threshold": 0.1,
        "chance": 0.02,
    }
    return _column(
        f"number {i}",
        "number",
        histogram={
            "edges": edges,
            "shares": {split: [chance.random() / 12 for _ in edges[1:]] for split in SPLITS},
            "below": False,
            "above": True,
        },
        figures=dict.fromkeys(SPLITS, figures),
        relation={"strength": chance.random() / 2, "distinct": 9, "bins": bins},
        drift=[drift],
        findings=[FINDING] if i == 2 else [],
    )


def _text(i: int) -> dict[str, Any]:
    names = [HOSTILE, "", *(f"value {k}" for k in range(8))]
    shares = {"train": 0.1, "eval": 0.08, "test": None}
    bins = [
        {"kind": "value", "value": name, "rows": 33, "estimates": [[0.25, 0.2, 0.3]]}
        for name in names
    ]
    return _column(
        HOSTILE if i == 0 else f"text {i}",
        "category",
        top=[{"value": name, "shares": shares} for name in names],
        figures={split: {"distinct": 10, "length": 5.5} for split in SPLITS},
        relation={"strength": 0.6 if i == 0 else 0.01, "distinct": None, "bins": bins},
    )
