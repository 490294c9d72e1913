"""Repeatable samples of a split's rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components.examples import read_row_group, row_groups
from components.ingest.hashing import scatter

# At most so many batches of a split are read, however large it is. Rows are shuffled over them.
_MOST_ROW_GROUPS = 16
_DRAWS = 1 << 40


def sample(examples: str, split: str, columns: Sequence[str], rows: int) -> pa.RecordBatch | None:
    """Return the rows of a split whose places have the least hashes, in the order of the hashes.

    Args:
      examples: folder of examples.
      split: the split.
      columns: those to read.
      rows: how many at most.

    Returns:
      The rows; None if the split has none.
    """
    groups = [group for group in row_groups(examples, split) if group.rows]
    if len(groups) > _MOST_ROW_GROUPS:
        spread = np.linspace(0, len(groups) - 1, _MOST_ROW_GROUPS).astype(int)
        groups = [groups[number] for number in spread]
    if not groups:
        return None
    draws = [
        scatter(number, np.arange(group.rows), np.full(group.rows, _DRAWS))
        for number, group in enumerate(groups)
    ]
    chosen = np.argsort(np.concatenate(draws), kind="stable")[:rows]
    table = pa.Table.from_batches([read_row_group(group, columns) for group in groups])
    return table.take(pa.array(chosen)).combine_chunks().to_batches()[0]
