"""What a reader of a kind of source makes of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.sources.protocol import Reader


def read_all(
    reader: Reader[Any], path: str, names: Sequence[str] | None = None
) -> tuple[list[Any], list[Any]]:
    """Rows as (place, values), and rejects as (place, column, value, reason).

    Each record is one of both, and blocks have the columns `names`, if they are given.
    """
    rows: list[Any] = []
    rejects: list[Any] = []
    for part in reader.parts(path):
        for block in reader.read(part):
            assert block.columns.num_rows + len(block.rejects) == block.read
            assert names is None or block.columns.schema.names == names
            values = (tuple(row.values()) for row in block.columns.to_pylist())
            rows += list(zip(block.places.tolist(), values, strict=True))
            rejects += [reject.row()[1:5] for reject in block.rejects]
    return rows, rejects
