"""What the node validate receives for the rules of pipeline.yaml."""

from __future__ import annotations

import os

from components import files
from pipeline import lineage
from pipeline.folders import Folders
from schemas import columns
from schemas.catalog import Dataset
from schemas.rules import parse_rules


def parameters(dataset: Dataset, folders: Folders, fingerprint: str) -> dict[str, str]:
    """Return the node's parameters; none where there are no rules, so that columns do not count.

    Args:
      dataset: with the rules.
      folders: the pipeline's folders.
      fingerprint: of the present source.
    """
    rules = dataset.spec.validation.rules
    if not rules:
        return {}
    parsed = parse_rules(rules, dataset.columns, place="validation.rules.{}".format)
    compared = any(rule.uses_previous for rule in parsed)
    return {
        "rules": dataset.spec.validation.model_dump_json(include={"rules"}),
        "columns": columns.dumps(dataset.columns),
        "previous": _previous_statistics(folders, fingerprint) if compared else "",
    }


def _previous_statistics(folders: Folders, fingerprint: str) -> str:
    """Return the statistics of the newest other data whose model was served; "" if none are there.

    A run of the same source again has the same previous data, so it uses the same results.
    """
    if not folders.metadata.exists():
        return ""
    for run_id in reversed(files.names(os.path.join(folders.place, "runs"))):
        outputs = {n: e.outputs for n, e in lineage.read_run(folders.metadata, run_id).items()}
        pushed = outputs.get("push", {}).get("pushed")
        if pushed is None or pushed.properties.get("pushed") != 1:
            continue
        if outputs["ingest"]["examples"].properties.get("input_fingerprint") == fingerprint:
            continue
        folder = outputs["statistics"]["statistics"].uri
        if files.exists(folder):
            return folder
    return ""
