"""Beam's sources of examples: the row groups of one split, or of several."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
import pyarrow as pa

from components.examples import RowGroup, read_row_group, row_groups


def read_examples(root: str, split: str, columns: Sequence[str] | None = None) -> beam.PTransform:
    """Return a root PTransform that reads a split as flat RecordBatches, a row group each.

    >>> pipeline | read_examples(uri, "train")  # doctest: +SKIP
    """

    @beam.ptransform_fn
    def _read(pbegin: beam.pvalue.PBegin) -> beam.PCollection[pa.RecordBatch]:
        return (
            pbegin
            | "RowGroups" >> beam.Create(row_groups(root, split), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.Map(read_row_group, columns).with_output_types(pa.RecordBatch)
        )

    return f"ReadExamples[{split}]" >> _read()


def read_splits(
    root: str, splits: Sequence[str], columns: Sequence[str] | None = None
) -> beam.PTransform:
    """Return a root PTransform that reads several splits as (split, flat RecordBatch) pairs.

    All splits share one source: a Flatten of several sources makes the in-process runner hold every
    batch in memory before the next step, and every source adds stages of its own.

    >>> pipeline | read_splits(uri, ("train", "eval"))  # doctest: +SKIP
    """

    def _read_one(key: str, group: RowGroup) -> tuple[str, pa.RecordBatch]:
        return key, read_row_group(group, columns)

    @beam.ptransform_fn
    def _read(pbegin: beam.pvalue.PBegin) -> beam.PCollection[tuple[str, pa.RecordBatch]]:
        groups = [(split, group) for split in splits for group in row_groups(root, split)]
        return (
            pbegin
            | "RowGroups" >> beam.Create(groups, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.MapTuple(_read_one).with_output_types(tuple[str, pa.RecordBatch])
        )

    return "ReadSplits" >> _read()
