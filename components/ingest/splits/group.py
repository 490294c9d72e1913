"""A split that keeps groups of rows together."""

from __future__ import annotations

from components.ingest.splits import hash as by_hash


class Splitter(by_hash.Splitter):
    """Assigns each group by the hash of its key."""
