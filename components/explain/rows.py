"""Rows of a split as the exported model takes them, and their scores.

What is scored are raw rows, by the graph that is served. So what is explained is what is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.evaluate.signature import LoadedSignature
from components.examples import as_raw_columns, column, read_row_group, row_groups
from components.export import signatures as names
from components.ingest.hashing import scatter
from schemas.columns import Column
from schemas.tasks.options import TaskOptions

RawColumns = Mapping[str, np.ndarray]

# At most so many batches of a split are read, however large it is. Rows are shuffled over them.
_MOST_ROW_GROUPS = 16
_CALL_ROWS = 4_096  # rows that are scored at once
_DRAWS = 1 << 40


class RowScorer:
    """The exported model: raw rows in, scores out.

    Args:
      saved_model: its folder.
      columns: of the examples.

    Attributes:
      columns: the raw columns that it takes, the label's own among them.

    Raises:
      ModelError: it does not load, or lacks the signature.
    """

    def __init__(self, saved_model: str, columns: Iterable[Column]) -> None:
        self._call = LoadedSignature(saved_model, names.EVALUATION, (names.SCORES, names.LABEL))
        by_name = {each.name: each for each in columns}
        self.columns = tuple(by_name[name] for name in self._call.inputs)

    def __call__(self, raw: RawColumns) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores, [rows] or [rows, classes], and the labels, [rows]."""
        answer = self._call(raw)
        return answer[names.SCORES], answer[names.LABEL]

    def changed(self, raw: RawColumns, changes: Sequence[RawColumns]) -> Iterator[np.ndarray]:
        """Yield, for each change, the scores of all rows with some columns replaced.

        Args:
          raw: columns of the rows.
          changes: the columns that are replaced, of the same shapes.
        """
        rows = len(next(iter(raw.values())))
        at_once = max(1, _CALL_ROWS // rows)
        for start in range(0, len(changes), at_once):
            some = changes[start : start + at_once]
            stacked = {
                name: np.concatenate([change.get(name, values) for change in some])
                for name, values in raw.items()
            }
            scores, _ = self(stacked)
            yield from np.split(scores, len(some))


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
    """Return a repeatable sample of at most `rows` rows of a split, and score them."""
    needed = [each.name for each in scorer.columns]
    extra = [] if label.weight is None or label.weight in needed else [label.weight]
    batch = sample(examples, split, [*needed, *extra], rows)
    raw = as_raw_columns(batch, scorer.columns)
    scores, labels = scorer(raw)
    weights = np.ones(batch.num_rows)
    if label.weight is not None:
        weights = column(batch, label.weight).to_numpy().astype(np.float32).astype(np.float64)
    return SplitRows(batch, raw, scores, labels, weights)


def sample(examples: str, split: str, columns: Sequence[str], rows: int) -> pa.RecordBatch:
    """Return the rows of a split whose places have the least hashes, in the order of the hashes."""
    groups = [group for group in row_groups(examples, split) if group.rows]
    if len(groups) > _MOST_ROW_GROUPS:
        spread = np.linspace(0, len(groups) - 1, _MOST_ROW_GROUPS).astype(int)
        groups = [groups[number] for number in spread]
    batches = [read_row_group(group, columns) for group in groups]
    draws = np.concatenate(
        [
            scatter(number, np.arange(batch.num_rows), np.full(batch.num_rows, _DRAWS))
            for number, batch in enumerate(batches)
        ]
    )
    chosen = np.argsort(draws, kind="stable")[:rows]
    table = pa.Table.from_batches(batches).take(pa.array(chosen))
    return table.combine_chunks().to_batches()[0]
