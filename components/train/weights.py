"""How much each row counts in the loss: by its own weight, and by its class.

The weights of a split are scaled to a mean of 1, so that a learning rate means the same with any
weights, and the mean of weighted losses is the weighted mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.examples import column
from components.tasks.protocol import Head
from components.train.inputs import labels
from schemas.errors import DataError
from schemas.layout import Layout
from schemas.tasks.options import TaskOptions


@dataclass(frozen=True)
class Weighting:
    """The weights of a split's rows.

    Attributes:
      column: the column of transformed examples with the rows' own weights; None if all are 1.
      classes: what these are multiplied by, by the number of the class; None if by nothing.
      scale: what the products are multiplied by.
    """

    column: str | None
    classes: tuple[float, ...] | None
    scale: float = 1.0

    def of(self, batch: pa.RecordBatch, label: np.ndarray) -> np.ndarray:
        """Return the weights of a batch, float32 [rows]; `label` is float32 [rows, 1]."""
        own = np.ones(len(label))
        if self.column is not None:
            own = column(batch, self.column).to_numpy().astype(np.float64)
        return (self.of_rows(label[:, 0], own) * self.scale).astype(np.float32)

    def of_rows(self, label: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the products for rows with these labels and own weights, float64 [rows]."""
        if self.classes is None:
            return own
        return own * np.array(self.classes)[label.astype(np.int64)]


def weighting(
    examples: str, split: str, layout: Layout, task: TaskOptions, head: Head
) -> Weighting | None:
    """Return the weighting of a split, read from its labels; None if all rows count the same.

    Raises:
      DataError: the weights of the split are all 0.
    """
    if task.weight is None and head.class_weights is None:
        return None
    unscaled = Weighting(task.weight, head.class_weights)
    rows, total = 0, 0.0
    for label, own in labels(examples, split, layout, task.weight):
        rows += len(label)
        total += float(unscaled.of_rows(label, own).sum())
    if not total:
        raise DataError(
            f"the weight {task.weight!r} is 0 in all {rows:,} rows of the {split} split",
            where=examples,
            expected="rows with a weight above 0 in every split",
            remedy="check `label.weight` in pipeline.yaml against the data",
        )
    return Weighting(task.weight, head.class_weights, rows / total)
