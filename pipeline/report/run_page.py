"""The report of a run: one HTML document with a card for each part of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from components import files
from pipeline.report.cards import CARDS
from pipeline.report.document import document
from pipeline.report.record import Record

FILE_NAME = "report.html"  # in the folder of a run

_SCRIPTS = (
    "specs.js",
    "parts.js",
    "verdict.js",
    "changes.js",
    "stages.js",
    "data.js",
    "columns.js",
    "training.js",
    "metrics.js",
    "binary.js",
    "slices.js",
    "why.js",
    "proof.js",
    "reproduce.js",
    "main.js",
)


def write(path: str, record: Record) -> None:
    """Write the report of a run into a file."""
    files.write_whole(path, page(content_of(record)))


def content_of(record: Record) -> dict[str, Any]:
    """Return the content of the report: its cards in order, as values of JSON."""
    return {
        "pipeline": record.summary.pipeline,
        "run": record.summary.run_id,
        "started": record.run.started,
        "cards": [
            {"id": name, "title": title, **_finite(card(record))}
            for name, (title, card) in CARDS.items()
        ],
    }


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `content_of`.
    """
    title = f"{content['pipeline']}: run {content['run']}"
    return document("run", title=title, scripts=_SCRIPTS, content=content)


def _finite(value: Any) -> Any:
    """Return a value with None in place of numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
