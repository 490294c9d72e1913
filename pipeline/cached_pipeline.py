"""Nodes → a TFX pipeline whose cache is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from pipeline.folders import Folders


def cached(name: str, folders: Folders, nodes: Sequence[Any]) -> Pipeline:
    """Return the pipeline of some nodes, recorded under a name."""
    return Pipeline(
        pipeline_name=name,
        pipeline_root=folders.artifacts,
        components=list(nodes),
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folders.metadata)
        ),
    )
