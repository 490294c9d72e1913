"""What is in each split: rows, the label's share or mean, the range of times, and folds.

A worker measures each shard that it writes, whose rows come in the same order in every run. The sum
over the shards of a split does not depend on their order.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from components.ingest.counts import LabelFacts, SplitFacts
from schemas.columns import Column
from schemas.splits.options import FOLD, SplitOptions
from schemas.strict import Strict
from schemas.tasks.options import Above, TaskOptions

MOST_CLASSES = 1_000  # with more classes than this, their shares are not reported

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class ShardFacts(Strict):
    """What a shard adds to the facts of its split.

    Attributes:
      shard: its number.
      split: its split.
      rows: how many rows it has.
      weight: the sum of their weights, each 1 if they have none.
      total: the sum of label times weight, of a label that is a number, or made by a rule.
      classes: the sum of the weights by class, of a label that is a class.
      first: the earliest time, as examples hold it; None without rows or times.
      last: the latest time.
      folds: how many rows each fold has; none without folds.
    """

    shard: int
    split: str
    rows: int
    weight: float
    total: float | None = None
    classes: dict[str, float] = Field(default_factory=dict)
    first: int | None = None
    last: int | None = None
    folds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measure:
    """Measures shards.

    Attributes:
      label: what the label is made from.
      time: the column with the times of the rows; None if there is none.
      folds: how many folds training rows have; None without folds.
    """

    label: TaskOptions
    time: Column | None
    folds: int | None

    @classmethod
    def by(cls, label: TaskOptions, splits: SplitOptions, columns: Iterable[Column]) -> Measure:
        """Return the measure of examples with these columns."""
        time = next((column for column in columns if column.name == splits.time_column), None)
        return cls(label, time, splits.folds)

    def of(self, shard: int, split: str, table: pa.Table) -> ShardFacts:
        """Return the facts of a shard of this split, with the columns of examples."""
        weights = np.ones(table.num_rows)
        if self.label.weight is not None:
            weights = table[self.label.weight].to_numpy().astype(np.float64)
        times = {} if self.time is None else pc.min_max(table[self.time.name]).as_py()
        counts = np.zeros(0, np.int64)
        if FOLD in table.schema.names:
            counts = np.bincount(table[FOLD].to_numpy(), minlength=self.folds or 0)
        classes_of = self.label.classes_of
        return ShardFacts(
            shard=shard,
            split=split,
            rows=table.num_rows,
            weight=weights.sum(),
            total=None if classes_of is not None else self._total(table, weights),
            classes={} if classes_of is None else _by_class(table[classes_of.column], weights),
            first=times.get("min"),
            last=times.get("max"),
            folds=tuple(counts.tolist()),
        )

    def _total(self, table: pa.Table, weights: np.ndarray) -> float | None:
        """Return the sum of label times weight; None of a label that is neither number nor rule."""
        label = self.label
        if label.above is not None:
            values = above(table, label.above)
        elif label.sought is not None:
            name, wanted = label.sought
            found = pc.is_in(table[name].cast(pa.string()), value_set=pa.array(wanted, pa.string()))
            values = found.to_numpy()
        elif pa.types.is_string(table.schema.field(label.outcome).type):
            return None
        else:
            values = table[label.outcome].to_numpy()
        return float((values.astype(np.float64) * weights).sum())

    def facts(self, shards: Sequence[ShardFacts]) -> SplitFacts:
        """Return the facts of one split, from those of all its shards."""
        span = span_of(shards)
        folds = [shard.folds for shard in shards if shard.folds]
        return SplitFacts(
            rows=sum(shard.rows for shard in shards),
            label=self._label(shards),
            time=None if span is None else (self.time_text(span[0]), self.time_text(span[1])),
            folds=tuple(map(sum, zip(*folds, strict=True))) if folds else None,
        )

    def time_text(self, time: int) -> int | str:
        """Return a time as people read it, as 2024-05-31T17:00:00Z; a whole number as it is."""
        if self.time is None or not self.time.type.is_time:
            return time
        return (_EPOCH + datetime.timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")

    def _label(self, shards: Sequence[ShardFacts]) -> LabelFacts | None:
        weight = math.fsum(shard.weight for shard in shards)
        if not weight:
            return None
        totals = [shard.total for shard in shards if shard.total is not None]
        if totals:
            share = _rounded(math.fsum(totals) / weight)
            is_rule = self.label.above is not None or self.label.sought is not None
            return LabelFacts(positive=share) if is_rule else LabelFacts(mean=share)
        classes: dict[str, list[float]] = {}
        for shard in shards:
            for name, part in shard.classes.items():
                classes.setdefault(name, []).append(part)
        if not 0 < len(classes) <= MOST_CLASSES:
            return None
        shares = {name: _rounded(math.fsum(parts) / weight) for name, parts in classes.items()}
        by_share = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        return LabelFacts(classes=dict(by_share))


def above(table: pa.Table, rule: Above) -> np.ndarray:
    """Return whether a row's label is 1 by the rule, bool [rows], as the transform graph does."""
    value, of = (table[name].to_numpy() for name in (rule.column, rule.of))
    if value.dtype == of.dtype == np.float32:
        return value > np.float32(rule.fraction) * of
    limit = rule.fraction * of.astype(np.float64)
    return value.astype(np.float64) - limit > np.abs(limit) * Above.ROUNDING


def span_of(shards: Iterable[ShardFacts]) -> tuple[int, int] | None:
    """Return the first and the last time of shards, as examples hold times; None without any."""
    times = [(s.first, s.last) for s in shards if s.first is not None and s.last is not None]
    return (min(first for first, _ in times), max(last for _, last in times)) if times else None


def _by_class(column: pa.ChunkedArray, weights: np.ndarray) -> dict[str, float]:
    """Return the sum of the weights of each class."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):  # older pyarrow
        encoded = encoded.combine_chunks()
    sums = np.bincount(encoded.indices.to_numpy(), weights, minlength=len(encoded.dictionary))
    by_name = sorted(zip(encoded.dictionary.to_pylist(), sums.tolist(), strict=True))
    return dict(by_name[: MOST_CLASSES + 1])  # one too many is too many in the sum as well


def _rounded(value: float) -> float:
    """Return a figure without the digits that depend on how a machine adds."""
    return float(f"{value:.9g}")
