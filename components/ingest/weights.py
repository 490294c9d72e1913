"""Checks that some row of each split has a weight above 0: other splits measure nothing."""

from __future__ import annotations

import pyarrow.compute as pc

from components.examples import iter_batches
from schemas.errors import DataError
from schemas.splits.options import SPLITS


def check_weights(examples: str, weight: str | None, *, where: str) -> None:
    """Check the weights of all splits that have rows.

    Args:
      examples: the folder of examples.
      weight: the column with the rows' weights; None if there is none.
      where: the source, for the error.

    Raises:
      DataError: the weights of a split are all 0.
    """
    if weight is None:
        return
    for split in SPLITS:
        rows = 0
        for batch in iter_batches(examples, split, [weight]):
            rows += batch.num_rows
            if pc.any(pc.greater(batch.column(0), 0)).as_py():
                break
        else:
            if rows:
                raise DataError(
                    f"the weight {weight!r} is 0 in all {rows:,} rows of the {split} split",
                    where=where,
                    expected="rows with a weight above 0 in every split",
                    remedy="check `label.weight` in pipeline.yaml against the data",
                )
