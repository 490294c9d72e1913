"""The paths of this room's artifacts, with the names that TFX's standard components expect."""

from __future__ import annotations

import os

from components.examples import split_folder

SCHEMA = "schema.pbtxt"
FINDINGS = "findings.json"
RELATIONS = "relations.json"
WHOLE = "all"  # the rows of all splits, measured as one


def statistics_path(root: str, split: str) -> str:
    """Return the path of a split's statistics."""
    return os.path.join(split_folder(root, split), "FeatureStats.pb")


def anomalies_path(root: str, split: str) -> str:
    """Return the path of a split's anomalies."""
    return os.path.join(split_folder(root, split), "SchemaDiff.pb")
