"""Finds what the model that was pushed last was trained on, to compare new data with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from components import files
from pipeline import lineage
from pipeline.folders import Folders
from pipeline.lineage import Execution


def statistics(folders: Folders, fingerprint: str) -> str:
    """Return the parameter `published` of the node validate.

    It is empty if no model was pushed, if its source is the present one, or if the statistics of
    its training data were removed.

    Args:
      folders: the pipeline's folders.
      fingerprint: of the present source.
    """
    executions = next(pushes(folders), {})
    measured = executions.get("statistics")
    ingested = executions.get("ingest")
    if measured is None or ingested is None:
        return ""
    if ingested.outputs["examples"].properties.get("input_fingerprint") == fingerprint:
        return ""
    folder = measured.outputs["statistics"].uri
    if not files.exists(folder):
        return ""
    pushed = executions["push"].outputs["pushed"].properties
    return json.dumps({"version": pushed["pushed_version"], "statistics": folder})


def pushes(folders: Folders) -> Iterator[dict[str, Execution]]:
    """Yield what each node did in the runs that served their models, the newest first."""
    if not folders.metadata.exists():
        return
    for run_id in reversed(files.names(os.path.join(folders.place, "runs"))):
        executions = lineage.read_run(folders.metadata, run_id)
        pushed = executions["push"].outputs.get("pushed") if "push" in executions else None
        if pushed is not None and pushed.properties.get("pushed") == 1:
            yield executions
