"""The report of a run: one HTML document with a card for each part of the run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import files
from pipeline.folders import Folders
from pipeline.recorded_runs import RecordedRun
from pipeline.report.cards import CARDS
from pipeline.report.document import document
from pipeline.report.record import Record
from pipeline.summary import Summary

FILE_NAME = "report.html"  # in the folder of a run

# Those of the cards, and what they share.
PARTS = ("run/specs.js", "run/parts.js")
STYLES = ("run/page.css",)
_SCRIPTS = (*PARTS, *(f"run/{name}.js" for name in CARDS), "run/binary.js", "run/main.js")


def write(path: str, record: Record) -> None:
    """Write the report of a run into a file."""
    files.write_whole(path, page(content_of(record)))


def find(run: RecordedRun, summary: Summary) -> Path:
    """Return the report of a run on this machine; it is written or fetched if it is not there."""
    own = Folders.at(run.pipeline_folder).runs / run.run_id
    path, kept = own / FILE_NAME, os.path.join(run.folder, FILE_NAME)
    if path.is_file():
        return path
    own.mkdir(parents=True, exist_ok=True)
    if files.is_file(kept):
        path.write_bytes(files.read_bytes(kept))
    else:
        write(str(path), Record.of(run, summary))
    return path


def content_of(record: Record) -> dict[str, Any]:
    """Return the content of the report: its cards in order, as values of JSON."""
    return {
        "pipeline": record.summary.pipeline,
        "run": record.summary.run_id,
        "started": record.run.started,
        "cards": [
            {"id": name, "title": title, **finite(card(record))}
            for name, (title, card) in CARDS.items()
        ],
    }


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `content_of`.
    """
    title = f"{content['pipeline']}: run {content['run']}"
    return document(
        "run/page.html.j2", title=title, scripts=_SCRIPTS, content=content, styles=STYLES
    )


def finite(value: Any) -> Any:
    """Return a value with None in place of numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
