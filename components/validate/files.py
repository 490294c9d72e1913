"""Where this room's artifacts lie, named as TFX's standard components expect, and how they appear.

A file appears under its name only when whole.
"""

from __future__ import annotations

import os
import uuid

from components.examples import split_folder

SCHEMA = "schema.pbtxt"
FINDINGS = "findings.json"


def statistics_path(root: str, split: str) -> str:
    """Return where a split's statistics lie."""
    return os.path.join(split_folder(root, split), "FeatureStats.pb")


def anomalies_path(root: str, split: str) -> str:
    """Return where a split's anomalies lie."""
    return os.path.join(split_folder(root, split), "SchemaDiff.pb")


def write_whole(path: str, data: bytes) -> None:
    """Write a file beside its place, then rename it into place; folders are made."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = f"{path}.{uuid.uuid4().hex}.partial"
    with open(partial, "wb") as file:
        file.write(data)
    os.replace(partial, path)
