"""Training rows → `Relations`, by sums that workers add up in any order.

A sample of the training rows decides the bins of each column and the classes, and gives the
correlations. Then each batch of rows gives a `BinTally`, whose size does not depend on the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from components.examples import column, read_row_group, row_groups
from components.tasks.outcomes import Outcome, outcome_of
from components.validate.bins import MISSING, SIZE, Bins, bins_of
from components.validate.estimates import (
    correlations,
    estimates,
    moments,
    rows_of,
    strength,
)
from components.validate.relations import (
    BinRelation,
    ColumnRelation,
    Correlations,
    Relations,
    SplitOutcome,
    strongest,
)
from schemas.splits.options import FOLD
from schemas.tasks.options import TaskOptions

_TRAIN = "train"
_SAMPLE = 50_000  # rows; their correlations are within 0.01 of those of all
_MOST_CORRELATED = 20


@dataclass(frozen=True)
class BinTally:
    """Sums over rows.

    Attributes:
      splits: by split, the moments of all rows, float64 [1, moments].
      columns: the moments of the rows in each bin of each column, float64 [columns, bins, moments].
    """

    splits: Mapping[str, np.ndarray]
    columns: np.ndarray

    @classmethod
    def add(cls, tallies: Iterable[BinTally | None]) -> BinTally | None:
        """Return the sum; None of no tallies, which Beam adds up, too."""
        total: BinTally | None = None
        for tally in filter(None, tallies):
            total = tally if total is None else total._plus(tally)
        return total

    def _plus(self, other: BinTally) -> BinTally:
        splits = dict(self.splits)
        for split, sums in other.splits.items():
            splits[split] = splits[split] + sums if split in splits else sums
        return BinTally(splits, self.columns + other.columns)


@dataclass(frozen=True)
class Relating:
    """What is counted.

    Attributes:
      options: the task's options.
      outcome: what is predicted.
      bins: the bins of each column that has some.
      sample: how many rows decided that.
      correlations: of the columns of numbers, in these rows.
    """

    options: TaskOptions
    outcome: Outcome
    bins: Mapping[str, Bins]
    sample: int
    correlations: Correlations = field(default_factory=Correlations)

    @classmethod
    def of(
        cls, examples: str, options: TaskOptions, categories: Collection[str]
    ) -> Relating | None:
        """Return what to count in examples; None where no rows are for training.

        Args:
          examples: the examples' folder.
          options: the task's options.
          categories: columns of whole numbers that are names.
        """
        sample = sample_of(examples, _TRAIN)
        if sample is None:
            return None
        found = {
            name: bins_of(sample, name, category=name in categories)
            for name in sample.schema.names
            if name != FOLD  # not data
        }
        bins = {name: each for name, each in found.items() if each is not None}
        relating = cls(options, outcome_of(options, sample), bins, sample.num_rows)
        return replace(relating, correlations=relating._correlate(sample))

    def tally(self, keyed: tuple[str, pa.RecordBatch]) -> BinTally:
        """Return the sums over a batch of a split; columns are counted in training rows alone."""
        split, batch = keyed
        outcome, weights = self.outcome.read(batch), self._weights(batch)
        classes = len(self.outcome.classes)
        whole = moments(np.zeros(batch.num_rows, np.int64), 1, outcome, weights, classes)
        columns = np.zeros((len(self.bins), SIZE, whole.shape[1]))
        if split == _TRAIN:
            for i, (name, bins) in enumerate(self.bins.items()):
                numbers = bins.numbers(column(batch, name))
                columns[i] = moments(numbers, SIZE, outcome, weights, classes)
        return BinTally({split: whole}, columns)

    def conclude(self, tally: BinTally) -> Relations:
        """Return the relations that the sums over all rows give."""
        shown = self.outcome.shown
        splits = {
            split: SplitOutcome(rows=rows_of(sums[0]), estimates=estimates(sums[0], shown))
            for split, sums in sorted(tally.splits.items())
        }
        return Relations(
            outcome=self.options.name,
            classes=tuple(self.outcome.classes[number] for number in shown),
            weight=self.options.weight,
            sample=self.sample,
            splits=splits,
            columns=tuple(self._columns(tally.columns)),
            correlations=self.correlations,
        )

    def _correlate(self, sample: pa.RecordBatch) -> Correlations:
        """Return the correlations of the columns of numbers that relate most to the outcome."""
        columns = self._columns(self.tally((_TRAIN, sample)).columns)
        numbers = [each for each in columns if self.bins[each.column].is_ordered]
        chosen = set(strongest(numbers, _MOST_CORRELATED))
        names = [name for name in self.bins if name in chosen]
        if not names:
            return Correlations()
        places = np.stack([self.bins[name].numbers(column(sample, name)) for name in names])
        ranks = np.stack(
            [np.take(self.bins[n].ranks, at) for n, at in zip(names, places, strict=True)]
        )
        matrix = correlations(ranks, places != MISSING, self._weights(sample))
        return Correlations(columns=tuple(names), matrix=matrix)

    def _weights(self, batch: pa.RecordBatch) -> np.ndarray | None:
        if self.options.weight is None:
            return None
        return np.asarray(column(batch, self.options.weight).cast(pa.float64()), dtype=np.float64)

    def _columns(self, sums: np.ndarray) -> Iterator[ColumnRelation]:
        classes = bool(self.outcome.classes)
        for (name, bins), each in zip(self.bins.items(), sums, strict=True):
            yield ColumnRelation(
                column=name,
                strength=strength(each, classes=classes),
                distinct=bins.distinct,
                bins=tuple(self._bins(bins, each)),
            )

    def _bins(self, bins: Bins, sums: np.ndarray) -> Iterator[BinRelation]:
        for number, each in enumerate(sums):
            if rows := rows_of(each):
                found = estimates(each, self.outcome.shown)
                yield BinRelation(rows=rows, estimates=found, **bins.describe(number))


def sample_of(examples: str, split: str) -> pa.RecordBatch | None:
    """Return up to `_SAMPLE` rows of a split, from row groups all over it; None if it has none."""
    groups = [group for group in row_groups(examples, split) if group.rows]
    if not groups:
        return None
    rows = sum(group.rows for group in groups)
    few = min(len(groups), -(-_SAMPLE * len(groups) // rows))
    chosen = [groups[i * len(groups) // few] for i in range(few)]
    parts = [read_row_group(group) for group in chosen]
    table = pa.Table.from_batches(parts).slice(0, _SAMPLE)
    return table.combine_chunks().to_batches()[0]
