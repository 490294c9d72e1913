"""Why a card has nothing to show."""

from __future__ import annotations

from typing import Any

from pipeline.report.record import FINISHED, Record


def after(record: Record, node: str, what: str) -> dict[str, Any]:
    """Return the sentence of a card whose figures a node makes.

    Args:
      record: of the run.
      node: the node that makes them.
      what: the figures, at the beginning of a sentence.
    """
    execution = record.executions.get(node)
    if execution is not None and execution.state in FINISHED:
        return {"missing": f"{what} are no longer in the artifacts of the stage {node}."}
    status = record.summary.status
    ended = {"interrupted": "was interrupted", "partial": "was to end", "failed": "failed"}
    how = ended.get(status, "ended")
    return {"missing": f"{what} do not exist: the run {how} before the stage {node} finished."}
