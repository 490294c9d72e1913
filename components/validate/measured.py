"""What the values of a column are in a part of the data, from statistics or from rows.

Needs protobuf and pyarrow; TFDV's statistics are read without TFDV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2


@dataclass(frozen=True)
class Measured:
    """A column in a part of the data, such as a split.

    Attributes:
      rows: how many rows there are.
      present: how many of them have a value.
      total: how many values there are; more than `present` for lists.
      minimum: the least number; None for text, and without values.
      maximum: the greatest number.
      values: of categories how often each occurs, the most frequent ones first.
      distinct: how many different values a category has; None if that is not known.
      mean: of the numbers; None for text, and without values.
      stddev: their standard deviation, of the population.
    """

    rows: int
    present: int
    total: int = 0
    minimum: float | None = None
    maximum: float | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    distinct: int | None = None
    mean: float | None = None
    stddev: float | None = None


def of_statistics(
    dataset: statistics_pb2.DatasetFeatureStatistics,
) -> dict[str, Measured]:
    """Return each column of a split's statistics."""
    rows = dataset.num_examples
    return {
        feature.path.step[0]: _of_feature(feature, rows) if rows else Measured(0, 0)
        for feature in dataset.features
    }


def of_batches(batches: Sequence[pa.RecordBatch], names: Sequence[str]) -> dict[str, Measured]:
    """Return some columns of rows as ingest reads them; nothing without any batch."""
    return of_rows(pa.Table.from_batches(batches).select(list(names))) if batches else {}


def of_rows(rows: pa.Table) -> dict[str, Measured]:
    """Return each column of rows as ingest reads them."""
    return {name: _of_column(rows[name]) for name in rows.column_names}


def _of_feature(feature: statistics_pb2.FeatureNameStatistics, rows: int) -> Measured:
    kind = feature.WhichOneof("stats")
    common = getattr(feature, kind).common_stats
    present, total = common.num_non_missing, common.tot_num_values
    if not present:
        return Measured(rows, 0)
    if kind == "num_stats":
        numbers = feature.num_stats
        bounds = {"minimum": numbers.min, "maximum": numbers.max}
        return Measured(rows, present, total, **bounds, mean=numbers.mean, stddev=numbers.std_dev)
    texts = feature.string_stats
    values = {bucket.label: round(bucket.sample_count) for bucket in texts.rank_histogram.buckets}
    listed = Measured(rows, present, total, values=values, distinct=texts.unique)
    if feature.type != statistics_pb2.FeatureNameStatistics.INT:
        return listed
    numbers = np.array([int(value) for value in values], np.float64)
    bounds = {"minimum": int(numbers.min()), "maximum": int(numbers.max())}
    if len(values) < texts.unique:  # further values are only counted
        return replace(listed, **bounds)
    counts = np.array(list(values.values()), np.float64)
    mean = float(np.average(numbers, weights=counts))
    spread = float(np.sqrt(np.average((numbers - mean) ** 2, weights=counts)))
    return replace(listed, **bounds, mean=mean, stddev=spread)


def _of_column(column: pa.ChunkedArray) -> Measured:
    rows, values = len(column), column.drop_null()
    present = len(values)
    if pa.types.is_list(values.type):
        values = pc.list_flatten(values)
    if not len(values):
        return Measured(rows, present)
    if pa.types.is_string(values.type):
        counts = sorted(
            ((each["counts"], each["values"]) for each in pc.value_counts(values).to_pylist()),
            key=lambda pair: (-pair[0], pair[1]),
        )
        return Measured(rows, present, len(values), values={text: n for n, text in counts})
    bounds = pc.min_max(values).as_py()
    return Measured(rows, present, len(values), bounds["min"], bounds["max"])
