"""The data page: one HTML document about the data of a run."""

from __future__ import annotations

from typing import Any

from components import files
from pipeline.report.data import Sources, content_of
from pipeline.report.document import document

FILE_NAME = "data.html"  # in the folder of a run

_SCRIPTS = ("data/card.js", "data/main.js")


def write(path: str, sources: Sources, *, pipeline: str, run_id: str) -> None:
    """Write the page about the data of a run into a file.

    Raises:
      DataError: an artifact is not there, or is damaged.
    """
    files.write_whole(path, page(content_of(sources, pipeline=pipeline, run_id=run_id)))


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `data.content_of`.
    """
    title = f"{content['pipeline']}: data"
    return document("data/page.html.j2", title=title, scripts=_SCRIPTS, content=content)
