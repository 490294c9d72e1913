"""The page of `skewless compare --html`: how runs differ from the first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.comparison import Side
from pipeline.report.cards import changes
from pipeline.report.document import document
from pipeline.report.run_page import PARTS, STYLES, finite

_SCRIPTS = (*PARTS, "run/changes.js", "compare/main.js")


def content_of(first: Side, others: Sequence[Side]) -> dict[str, Any]:
    """Return the content of the page, as values of JSON."""
    return {
        "first": {"run": first.run.run_id, "pipeline": first.run.pipeline},
        "comparisons": [
            finite({"pipeline": other.run.pipeline, **changes.between(first, other)})
            for other in others
        ],
    }


def page(content: dict[str, Any]) -> str:
    """Return the document.

    Args:
      content: from `content_of`.
    """
    title = f"{content['first']['pipeline']}: runs compared"
    return document(
        "run/page.html.j2", title=title, scripts=_SCRIPTS, content=content, styles=STYLES
    )
