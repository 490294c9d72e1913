"""Joins the examples of spans into one folder of examples, without copying rows.

The files of all spans are linked under names that begin with the span's, with their rejects, and
the counts are added. So stages after ingest find examples as if all spans had been read at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components import files
from components.arrow_files import read_parquet
from components.examples import shards
from components.ingest.counts import Counts
from components.ingest.failures import disk_errors
from components.ingest.ingest import check_whole
from components.ingest.selection import selection_of
from components.ingest.split_checks import SourceRows
from components.ingest.split_facts import Measure, ShardFacts
from components.ingest.splits.protocol import open_splitter
from components.ingest.tally import IngestTally
from components.prepare.reading import PreparedReader
from components.prepare.rules import RowRules
from components.sources.protocol import open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.prepare import EVERY_ROW, Prepare
from schemas.sources.options import SourceOptions
from schemas.spans import Span
from schemas.splits.options import SPLITS, SplitOptions
from schemas.tasks.options import TaskOptions


@dataclass(frozen=True)
class SpanExamples:
    """The examples of a span.

    Attributes:
      span: the span.
      uri: the examples' folder, as `ingest` makes it.
    """

    span: Span
    uri: str


def join_spans(
    spans: Sequence[SpanExamples],
    *,
    source: SourceOptions,
    paths: Sequence[str],
    columns: Sequence[Column],
    splits: SplitOptions,
    label: TaskOptions,
    output: str,
    prepare: Prepare = EVERY_ROW,
) -> Counts:
    """Join the examples of spans.

    Args:
      spans: the spans, in order.
      source: the kind and the format of the files.
      paths: the files of all spans; they are read only to show rows in an error.
      columns: the examples' columns.
      splits: how rows are assigned to splits.
      label: the definition of the label.
      output: the folder to write to, which must not exist, or be empty.
      prepare: which rows become examples.

    Returns:
      The counts of all spans, as in `counts.json`.

    Raises:
      DataError: a span has no counts, the spans together fail a check of `ingest`, or the output
        cannot be written.
    """
    if files.names(output):
        raise DataError("the output folder is not empty", where=output)
    read = {each.span.label: _counts(each) for each in spans}
    with disk_errors("the examples", output):
        files.link_files([pair for each in spans for pair in _names(each, output)])
    measure = Measure.by(label, splits, columns)
    tally = IngestTally.add(
        [*map(_tally, read.values()), IngestTally(shards=tuple(_measured(output, measure)))]
    )
    by_span = {name: counts.records_read for name, counts in read.items()}
    counts = tally.counts(measure).model_copy(update={"read_by_span": by_span})
    counts.check()
    reader = open_reader(source, selection_of(columns, label, splits))
    parts = tuple(part for path in paths for part in reader.parts(path))
    prepared = PreparedReader.of(reader, parts, RowRules(prepare, columns))
    rows = SourceRows(prepared, prepared.parts, open_splitter(splits))
    check_whole(tally, measure, output, splits, label, rows, where=", ".join(source.paths))
    with disk_errors("the examples", output):
        counts.write(output)  # last: with its counts, the folder is complete
    return counts


def _counts(each: SpanExamples) -> Counts:
    counts = Counts.read(each.uri)
    if counts is None:
        raise DataError(f"the examples of span {each.span.label} have no counts", where=each.uri)
    return counts


def _tally(counts: Counts) -> IngestTally:
    return IngestTally(
        records_read=counts.records_read,
        examples=counts.examples,
        rejected=counts.rejected_by_reason,
        dropped=counts.dropped_by_rule,
    )


def _measured(examples: str, measure: Measure) -> Iterator[ShardFacts]:
    """Yield what is in each shard; the columns that it needs are read."""
    number = 0
    for split in SPLITS:
        for path in shards(examples, split):
            yield measure.of(number, split, read_parquet(path))
            number += 1


def _names(each: SpanExamples, output: str) -> list[tuple[str, str]]:
    """Return the present and the new path of each file of a span's splits and rejects."""
    pairs = []
    for path in files.walk(each.uri):
        folder, name = os.path.split(path)
        if folder:
            joined = os.path.join(output, folder, f"span-{each.span.name:0>10}-{name}")
            pairs.append((os.path.join(each.uri, path), joined))
    return pairs
