"""Where this room's artifacts lie, named as TFX's standard components expect."""

from __future__ import annotations

import os

from components.examples import split_folder

SCHEMA = "schema.pbtxt"
FINDINGS = "findings.json"


def statistics_path(root: str, split: str) -> str:
    """Return where a split's statistics lie."""
    return os.path.join(split_folder(root, split), "FeatureStats.pb")


def anomalies_path(root: str, split: str) -> str:
    """Return where a split's anomalies lie."""
    return os.path.join(split_folder(root, split), "SchemaDiff.pb")
