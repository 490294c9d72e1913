"""The library of ML Metadata, for `pipeline.lineage`, which commands import that start at once."""

from __future__ import annotations

from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.errors import StatusError as StatusError
from ml_metadata.proto import metadata_store_pb2

mlmd = metadata_store_pb2


def opened(metadata: Path) -> MetadataStore:
    """Open a record of runs; ML Metadata creates its tables if there are none."""
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return MetadataStore(config)
