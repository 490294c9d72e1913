"""Rows of a split as the exported model takes them, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from components.examples import as_raw_columns, column, split_folder
from components.ingest.samples import sample
from schemas.errors import DataError
from schemas.tasks.options import TaskOptions

if TYPE_CHECKING:
    from components.explain.scorer import RowScorer

RawColumns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class SplitRows:
    """Rows of a split.

    Attributes:
      batch: as examples hold them.
      raw: as the model takes them.
      scores: of the model.
      labels: [rows].
      weights: how much each row counts, float64 [rows].
    """

    batch: pa.RecordBatch
    raw: RawColumns
    scores: np.ndarray
    labels: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return self.batch.num_rows

    def first(self, rows: int) -> SplitRows:
        """Return at most so many of the rows, which are in no order."""
        return SplitRows(
            self.batch.slice(0, rows),
            {name: values[:rows] for name, values in self.raw.items()},
            self.scores[:rows],
            self.labels[:rows],
            self.weights[:rows],
        )


def rows_of(
    examples: str, split: str, scorer: RowScorer, label: TaskOptions, rows: int
) -> SplitRows:
    """Return a repeatable sample of at most `rows` rows of a split, and score them.

    Raises:
      DataError: the split has no rows.
    """
    needed = [each.name for each in scorer.columns]
    extra = [] if label.weight is None or label.weight in needed else [label.weight]
    batch = sample(examples, split, [*needed, *extra], rows)
    if batch is None:
        raise DataError(
            "there are no rows to explain the model by", where=split_folder(examples, split)
        )
    raw = as_raw_columns(batch, scorer.columns)
    scores, labels = scorer(raw)
    weights = np.ones(batch.num_rows)
    if label.weight is not None:
        weights = column(batch, label.weight).to_numpy().astype(np.float32).astype(np.float64)
    return SplitRows(batch, raw, scores, labels, weights)
