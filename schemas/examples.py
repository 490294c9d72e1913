"""The section `examples:` of pipeline.yaml: how examples are stored on disk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.strict import Strict


class Examples(Strict):
    """How many rows a batch and a shard have: one place for the two sizes."""

    batch_rows: Annotated[int, Field(ge=1, le=1 << 22)] = 65_536
    shard_rows: Annotated[int, Field(ge=1)] = 1_000_000
