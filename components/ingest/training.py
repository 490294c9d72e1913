"""The rules for training rows: what they need to know of all of them, and what they leave.

`prepare.outliers` and `prepare.sample` concern the training split alone: eval and test keep the
rows that serving meets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from components.ingest.hashing import hash_rows, mix
from components.ingest.split_facts import above
from components.ingest.splits.counted import Counted
from components.prepare.limits import limits
from components.prepare.sampling import copies, factors
from schemas.columns import Column
from schemas.errors import DataError, did_you_mean
from schemas.prepare import SAMPLE, OutlierRule, Prepare, outliers_rule
from schemas.splits.options import SplitOptions
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

# A sample does not follow the split, which hashes the same key.
_SALT = np.uint64(0x452821E638D01377)
_MAGNITUDE = np.int64(0x7FFFFFFF)  # the bits of a float32 besides its sign


class TrainingSeen(Strict):
    """What the rules have to know of all training rows.

    Attributes:
      values: how many rows have which value, by column: integers in the values' order.
      classes: how many rows each class has, before outliers are dropped.
    """

    values: dict[str, Counted] = Field(default_factory=dict)
    classes: dict[str, int] = Field(default_factory=dict)

    @classmethod
    def add(cls, parts: Iterable[TrainingSeen]) -> TrainingSeen:
        """Return the sum, which depends neither on order nor on grouping."""
        parts = list(parts)
        names = sorted({name for part in parts for name in part.values})
        classes: dict[str, int] = {}
        for part in parts:
            for name, rows in part.classes.items():
                classes[name] = classes.get(name, 0) + rows
        return cls(
            values={n: Counted.add(p.values[n] for p in parts if n in p.values) for n in names},
            classes=dict(sorted(classes.items())),
        )


@dataclass(frozen=True)
class Chosen:
    """Training rows that the rules leave.

    Attributes:
      rows: the rows that are learnt from, some of them several times.
      dropped: the others, by the rule that drops them.
      repeated: how many rows are there because others are repeated.
      sampled: how many rows each class had before the sample and has after it.
    """

    rows: pa.Table
    dropped: Mapping[str, pa.Table]
    repeated: int
    sampled: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class TrainingRules:
    """The rules; are sent to workers.

    Attributes:
      prepare: the options.
      label: what is predicted.
      key: the columns whose hash decides about a row.
    """

    prepare: Prepare
    label: TaskOptions
    key: tuple[str, ...]

    @classmethod
    def of(
        cls, prepare: Prepare, label: TaskOptions, splits: SplitOptions, columns: Sequence[Column]
    ) -> TrainingRules:
        """Return the rules; a split without a key has all columns of one value decide."""
        key = getattr(splits, "key", ()) or [c.name for c in columns if not c.is_list]
        return cls(prepare, label, tuple(key))

    def check(self, sampled: Mapping[str, tuple[int, int]]) -> None:
        """Check that the classes of a sample are in the data, if there are training rows.

        Raises:
          DataError: one is not; names the nearest class.
        """
        sample = self.prepare.sample
        for name in () if sample is None else sample.by_class:
            if sampled and name not in sampled:
                raise DataError(
                    f"{SAMPLE} has the class {name!r}, which no training row of the label"
                    f" {self.label.name!r} is; {did_you_mean(name, sampled)}",
                    where="prepare.sample in pipeline.yaml",
                    expected="classes as the column has them",
                    remedy="correct the name, or leave it out",
                )

    @property
    def looks(self) -> bool:
        """Whether a rule has to know all training rows before it can decide on one."""
        sample = self.prepare.sample
        return bool(self.prepare.outliers) or (sample is not None and bool(sample.share))

    @property
    def any(self) -> bool:
        """Whether there are rules."""
        return bool(self.prepare.outliers) or self.prepare.sample is not None

    def seen(self, rows: pa.RecordBatch) -> TrainingSeen:
        """Return what some training rows add."""
        table = pa.Table.from_batches([rows])
        values = {}
        for name in self.prepare.outliers:
            values[name] = Counted.of(_ordered(_whole(table[name]).drop_null()))
        return TrainingSeen(values=values, classes=self._count(table))

    def choose(self, table: pa.Table, seen: TrainingSeen) -> Chosen:
        """Return what the rules leave of rows of the training split."""
        dropped: dict[str, pa.Table] = {}
        for name, rule in self.prepare.outliers.items():
            kept = _within(_whole(table[name]), rule, seen.values.get(name, Counted()))
            if not kept.all():
                dropped[outliers_rule(name)] = table.filter(pa.array(~kept))
                table = table.filter(pa.array(kept))
        if self.prepare.sample is None:
            return Chosen(table, dropped, 0, {})
        times = self._times(table, seen)
        if not times.all():
            dropped[SAMPLE] = table.filter(pa.array(times == 0))
        before = self._count(table)
        rows = table.take(pa.array(np.repeat(np.arange(len(times)), times)))
        after = self._count(rows)
        return Chosen(
            rows,
            dropped,
            int(np.maximum(times - 1, 0).sum()),
            {name: (count, after.get(name, 0)) for name, count in before.items()},
        )

    def _times(self, table: pa.Table, seen: TrainingSeen) -> np.ndarray:
        """Return how often each row is taken, int64 [rows]."""
        sample = self.prepare.sample
        assert sample is not None
        keys = [_whole(table[name]) for name in self.key]
        draws = (mix(hash_rows(keys) ^ _SALT) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        if sample.fraction is not None:
            return (draws < sample.fraction).astype(np.int64)
        codes, names = self._classes(table)
        return copies(draws, codes, names, factors(sample, seen.classes))

    def _count(self, table: pa.Table) -> dict[str, int]:
        """Return how many rows each class has; nothing unless the sample is by class."""
        if self.prepare.sample is None or not self.prepare.sample.by_class:
            return {}
        codes, names = self._classes(table)
        return dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))

    def _classes(self, table: pa.Table) -> tuple[np.ndarray, list[str]]:
        """Return the number of each row's class, and the classes' names."""
        if self.label.above is not None:
            return above(table, self.label.above).astype(np.int64), ["0", "1"]
        if self.label.classes_of is None and self.label.sought is not None:
            name, wanted = self.label.sought
            found = pc.is_in(table[name].cast(pa.string()), value_set=pa.array(wanted, pa.string()))
            return np.asarray(found).astype(np.int64), ["0", "1"]
        encoded = _whole(table[self.label.outcome].cast(pa.string())).dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays([*column.chunks, pa.array([], column.type)])


def _within(values: pa.Array, rule: OutlierRule, counted: Counted) -> np.ndarray:
    """Return which values are not outliers, bool [rows]; a missing one is not.

    Where there are more than 65,536 different values, `counted` has cells of close values. An
    outlier is beyond the cell that the limit is in.
    """
    is_float = pa.types.is_float32(values.type)
    cells, rows = np.array(counted.values, np.int64), np.array(counted.rows, np.int64)
    first, last = cells << counted.shift, ((cells + 1) << counted.shift) - 1
    low = limits(rule, _as_numbers(first, is_float), rows)
    high = limits(rule, _as_numbers(last, is_float), rows)
    if low is None or high is None:
        return np.ones(len(values), bool)
    numbers = values.cast(pa.float64())
    inside = pc.and_(pc.greater_equal(numbers, low[0]), pc.less_equal(numbers, high[1]))
    return np.asarray(inside.fill_null(True))


def _ordered(values: pa.Array) -> np.ndarray:
    """Return numbers as int64 in the same order: float32 by their bits."""
    if not pa.types.is_float32(values.type):
        return values.to_numpy()
    bits = (values.to_numpy() + np.float32(0)).view(np.int32).astype(np.int64)  # -0.0 as 0.0
    return np.where(bits < 0, bits ^ _MAGNITUDE, bits)


def _as_numbers(ordered: np.ndarray, is_float: bool) -> np.ndarray:
    """Return the numbers that `_ordered` was given, as float64."""
    if not is_float:
        return ordered.astype(np.float64)
    bits = np.where(ordered < 0, ordered ^ _MAGNITUDE, ordered).astype(np.int32)
    return bits.view(np.float32).astype(np.float64)
