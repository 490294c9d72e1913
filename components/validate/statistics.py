"""Examples → TFDV statistics of every split, in one Beam pipeline.

Reads flat RecordBatches, writes `Split-X/FeatureStats.pb`, one for every split, also for one
without rows. Rows are measured where they are read: only accumulators travel between workers.
"""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics.stats_impl import GenerateSlicedStatisticsImpl
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components import files, progress, runner
from components.arrow_files import open_parquet
from components.example_batches import read_splits
from components.examples import as_lists, shards
from components.validate import histograms, stored
from components.validate.files import statistics_path
from components.validate.relating import BinTally, Relating
from schemas.splits.options import FOLD, SPLITS
from schemas.tasks.options import TaskOptions

# Twice TFDV's default. The Jensen-Shannon divergence takes values as spread evenly within a
# bucket: over 10 buckets the fares of two random samples of taxi trips differ by 0.03 to 0.09, and
# by 0.11 to 0.17 when one sample's rise by 30 %; over 20 by 0.04 to 0.05, and by 0.13 to 0.15.
_QUANTILE_BUCKETS = 20


def generate(
    *,
    examples: str,
    schema: schema_pb2.Schema,
    output: str,
    options: PipelineOptions | None = None,
    splits: Sequence[str] = SPLITS,
    label: TaskOptions | None = None,
) -> dict[str, int]:
    """Write the statistics of every split, and how columns relate to the label.

    Args:
      examples: the examples' folder.
      schema: says which columns are categories.
      output: the folder to write `Split-X/FeatureStats.pb` into.
      options: where Beam runs; None is in this process.
      splits: those to measure.
      label: what is predicted; None writes no relations.

    Returns:
      The rows of each split, as the statistics count them.
    """
    categories = category_columns(examples, schema, splits)
    relating = None if label is None else Relating.of(examples, label, categories)
    with histograms.as_arrays(), runner.opened("statistics", options) as pipeline:
        batches = pipeline | read_splits(examples, splits) | "CountRows" >> beam.Map(count_rows)
        if relating is not None:
            _ = (
                batches
                | "Relate" >> beam.Map(relating.tally)
                | "AddUp" >> beam.CombineGlobally(BinTally.add).without_defaults()
                | "WriteRelations" >> beam.Map(_write_relations, relating, output)
            )
        _ = (
            batches
            | "AsMeasured" >> beam.Map(as_measured, categories)
            | "Measure" >> _measure(schema)
            | "Write" >> beam.Map(write, output, categories, splits)
        )
    return {split: stored.load(output, split).datasets[0].num_examples for split in splits}


def category_columns(
    examples: str, schema: schema_pb2.Schema, splits: Sequence[str]
) -> frozenset[str]:
    """Return the columns of integers that the schema calls categories."""
    stored = {
        field.name
        for split in splits
        for path in shards(examples, split)[:1]
        for field in open_parquet(path).schema_arrow
        if pa.types.is_integer(field.type)
    }
    return frozenset(f.name for f in schema.feature if f.int_domain.is_categorical) & stored


def count_rows(keyed: tuple[str, pa.RecordBatch]) -> tuple[str, pa.RecordBatch]:
    """Report the rows of a batch of a split, which is returned."""
    rows = keyed[1].num_rows
    beam.metrics.Metrics.counter("statistics", "records_read").inc(rows)
    progress.rows("statistics", rows)
    return keyed


def as_measured(
    keyed: tuple[str, pa.RecordBatch], categories: frozenset[str]
) -> tuple[str, pa.RecordBatch]:
    """Return a split's batch with lists for columns, and with categories as text.

    TFDV turns integer categories into text one by one in Python; Arrow does it a column at a time,
    which saves a fifth of the whole. `write` gives the type back. Folds are not data, and left
    out.
    """
    split, batch = keyed
    columns = {
        name: column.cast(pa.string()) if name in categories else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name != FOLD
    }
    measured = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    return split, as_lists(measured)


def _measure(schema: schema_pb2.Schema) -> beam.PTransform:
    """(split, batch) pairs to one list of statistics, a dataset a split.

    `tfdv.GenerateStatistics` takes one split; three of them cost three graphs, 1.9 s instead of
    0.7 s. The transform inside it takes keyed batches.
    """
    return GenerateSlicedStatisticsImpl(stats_options(schema), is_slicing_enabled=True)


def stats_options(schema: schema_pb2.Schema) -> StatsOptions:
    """Return what TFDV measures."""
    return StatsOptions(
        schema=schema,
        num_quantiles_histogram_buckets=_QUANTILE_BUCKETS,
        # Distinct values are counted by sketches: exactly up to 16,384 of them, and the most
        # frequent ones exactly where there are no more than 1,024. TFDV's default groups every
        # value of every row: 13 times the time for a column of 500,000 distinct ones.
        use_sketch_based_topk_uniques=True,
    )


def _write_relations(tally: BinTally, relating: Relating, output: str) -> None:
    relating.conclude(tally).write(output)


def write(
    measured: statistics_pb2.DatasetFeatureStatisticsList,
    output: str,
    categories: frozenset[str],
    splits: Sequence[str],
) -> None:
    """Write the statistics of each split into its file; of one without rows, empty ones."""
    by_split = {dataset.name: dataset for dataset in measured.datasets}
    for split in splits:
        whole = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = whole.datasets.add()
        if split in by_split:  # a split without rows has no batches: nothing was measured
            dataset.CopyFrom(by_split[split])
        dataset.name = ""
        for feature in dataset.features:
            if feature.path.step[0] in categories:
                feature.type = statistics_pb2.FeatureNameStatistics.INT
        written = whole.SerializeToString(deterministic=True)
        files.write_whole(statistics_path(output, split), written)
