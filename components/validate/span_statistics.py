"""Statistics of a window of spans, merged from what each span has left when it was read.

A span is read once: its accumulators are kept beside its statistics. A window that moves on merges
those of its spans, in the order of the spans. So the statistics of a window do not depend on which
of its spans an earlier run has read. Counts and extremes are as if all rows were counted at once;
quantiles come from the same sketches, and have the same bounds of error.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_data_validation.statistics.stats_impl import (
    _CombinerStatsGeneratorsCombineFn,
    get_generators,
)
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components import files, runner
from components.example_batches import read_splits
from components.validate import histograms, stored
from components.validate.relating import BinTally, Relating, sample_of
from components.validate.statistics import (
    as_measured,
    category_columns,
    count_rows,
    stats_options,
    write,
)
from schemas.splits.options import SPLITS
from schemas.tasks.options import TaskOptions

_FOLDER = "accumulators"  # beside the statistics, a file for each split


def measure(
    *,
    examples: str,
    schema: schema_pb2.Schema,
    output: str,
    whole: str,
    options: PipelineOptions | None = None,
) -> None:
    """Write a span's accumulators by split, and the statistics of all its rows.

    Args:
      examples: the folder of the span's examples.
      schema: says which columns are categories.
      output: the folder to write to.
      whole: the name of the split that all rows make together.
      options: where Beam runs; None is in this process.
    """
    categories = category_columns(examples, schema, SPLITS)
    with runner.opened("statistics", options) as pipeline:
        _ = (
            pipeline
            | read_splits(examples, SPLITS)
            | "CountRows" >> beam.Map(count_rows)
            | "AsMeasured" >> beam.Map(as_measured, categories)
            | "Accumulate" >> beam.CombinePerKey(Accumulate(schema))
            | "Write" >> beam.Map(_write, output)
        )
    parts = _read(output)
    write(_concluded({whole: list(parts.values())}, schema), output, categories, [whole])


def merge(
    spans: Sequence[str],
    *,
    examples: str,
    schema: schema_pb2.Schema,
    output: str,
    label: TaskOptions,
) -> dict[str, int]:
    """Write the statistics of every split of a window, and how columns relate to the label.

    The relations are those of a sample of the rows, all over the spans: no span is read whole.

    Args:
      spans: the folders that `measure` has written, in the order of the spans.
      examples: the folder of the joined examples.
      schema: as for `measure`.
      output: the folder to write to.
      label: what is predicted.

    Returns:
      The rows of each split.
    """
    categories = category_columns(examples, schema, SPLITS)
    kept = [_read(folder) for folder in spans]
    parts = {
        split: [own[split] for own in kept if split in own]
        for split in SPLITS
        if any(split in own for own in kept)
    }
    write(_concluded(parts, schema), output, categories, SPLITS)
    relating = Relating.of(examples, label, categories)
    if relating is not None:
        samples = ((split, sample_of(examples, split)) for split in SPLITS)
        tally = BinTally.add(relating.tally((s, rows)) for s, rows in samples if rows is not None)
        assert tally is not None  # there are training rows
        relating.conclude(tally).write(output)
    return {split: stored.load(output, split).datasets[0].num_examples for split in SPLITS}


class Accumulate(beam.CombineFn):
    """Batches to what TFDV has counted of them, pickled, as it is sent between workers."""

    def __init__(self, schema: schema_pb2.Schema) -> None:
        options = stats_options(schema)
        self._counting = _CombinerStatsGeneratorsCombineFn(
            get_generators(options), options.desired_batch_size
        )

    def setup(self, *_: Any, **__: Any) -> None:
        """Prepare what TFDV counts with."""
        self._counting.setup()

    def create_accumulator(self) -> Any:
        """Return what is known of no rows."""
        return self._counting.create_accumulator()

    def add_input(self, accumulator: Any, batch: pa.RecordBatch) -> Any:
        """Count a batch."""
        return self._counting.add_input(accumulator, batch)

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        """Merge all, in their order."""
        return self._counting.merge_accumulators(accumulators)

    def compact(self, accumulator: Any) -> Any:
        """Reduce an accumulator to what merging needs."""
        return self._counting.compact(accumulator)

    def extract_output(self, accumulator: Any) -> bytes:
        """Return the accumulator itself."""
        return pickle.dumps(self.compact(accumulator))

    def concluded(self, parts: Sequence[bytes]) -> statistics_pb2.DatasetFeatureStatistics:
        """Return the statistics of all parts together."""
        self.setup()
        # A run has written them itself, and its seals say that nobody else has since.
        merged = self.merge_accumulators(map(pickle.loads, parts))
        found: statistics_pb2.DatasetFeatureStatistics = self._counting.extract_output(merged)
        return found


def _concluded(
    parts: Mapping[str, Sequence[bytes]], schema: schema_pb2.Schema
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Return a dataset for each name, of all its parts together."""
    found = statistics_pb2.DatasetFeatureStatisticsList()
    with histograms.as_arrays():
        for name, own in parts.items():
            if own:
                found.datasets.append(Accumulate(schema).concluded(own))
                found.datasets[-1].name = name
    return found


def _write(keyed: tuple[str, bytes], output: str) -> None:
    split, accumulator = keyed
    files.write_whole(os.path.join(output, _FOLDER, split), accumulator)


def _read(folder: str) -> dict[str, bytes]:
    """Return a span's accumulators by split, in the order of `SPLITS`."""
    kept = os.path.join(folder, _FOLDER)
    found = files.names(kept)
    return {s: files.read_bytes(os.path.join(kept, s)) for s in SPLITS if s in found}
