"""Turns files of rows into Examples: typed, split and shuffled, with rejects and counts.

Every record becomes an example or a reject, or is dropped by a rule of `prepare` or of the split,
and `counts.json` has the numbers of each. The same input gives the same examples in the same order.
The output folder appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from components import files, progress, runner
from components.examples import sweep
from components.ingest.counts import Counts
from components.ingest.dropped import publish_dropped
from components.ingest.duplicates import without_duplicates
from components.ingest.failures import disk_errors, reserve
from components.ingest.label_values import check_label
from components.ingest.outcome import outcome
from components.ingest.rejects import publish_rejects
from components.ingest.selection import selection_of
from components.ingest.split_checks import SourceRows, check_keys, check_order
from components.ingest.split_facts import Measure
from components.ingest.splits.look_ahead import look_ahead
from components.ingest.steps import EXAMPLES_FOLDER, STAGE, WRITTEN, IngestParts, Plan
from components.ingest.tally import IngestTally
from components.ingest.training import TrainingRules
from components.ingest.weights import check_weights
from components.prepare.reading import PreparedReader
from components.prepare.rules import RowRules
from components.sources.protocol import Part, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.prepare import EVERY_ROW, Prepare
from schemas.sources.options import SourceOptions
from schemas.splits.options import SPLITS, SplitOptions
from schemas.tasks.options import TaskOptions


def ingest(
    *,
    source: SourceOptions,
    paths: Sequence[str],
    columns: Sequence[Column],
    splits: SplitOptions,
    label: TaskOptions,
    settings: Examples,
    output: str,
    prepare: Prepare = EVERY_ROW,
    options: PipelineOptions | None = None,
    whole: bool = True,
) -> Counts:
    """Turn files of rows into a folder of examples.

    Args:
      source: the kind and the format of the files.
      paths: the files, in an order that determines the order of rows.
      columns: the examples' columns; other columns of the files are ignored.
      splits: how rows are assigned to splits.
      label: its columns must not be missing; it says what becomes of rows where one is.
      settings: the numbers of rows in a batch and in a shard.
      output: the folder to create, which must not exist, or be empty.
      prepare: which rows become examples.
      options: Beam's options; None runs it in this process.
      whole: False if the rows are a span of the data: `join_spans` checks what needs all rows.

    Returns:
      The counts, as in `counts.json`.

    Raises:
      DataError: a file is missing, empty, unreadable or lacks a column; no record became a
        training, eval or test example, or the label is the same in all of them; a record has no
        label, and `label.missing` is "stop"; a key is in two splits that have to be apart, or their
        times are not in order; the weights of a split are all 0; the output cannot be written.
      ConfigError: the source's options contradict each other.
    """
    if not paths:
        raise DataError("no file matches the source's path", where=", ".join(source.paths))
    source_reader = open_reader(source, selection_of(columns, label, splits))
    parts = tuple(part for path in paths for part in source_reader.parts(path))
    _note_ignored(parts)
    reader = PreparedReader.of(source_reader, parts, RowRules(prepare, columns))
    with _working_folder(output, options) as folder:
        if prepare.drop_duplicates is not None:
            bucket_rows = settings.shard_rows
            reader = without_duplicates(
                reader, prepare.drop_duplicates, columns, bucket_rows, folder, options
            )
        kept = reader if prepare.drops_before_split else None
        splitter = look_ahead(source, paths, columns, splits, folder, options, kept=kept)
        measure = Measure.by(label, splits, columns)
        training = TrainingRules.of(prepare, label, splits, columns)
        plan = Plan.of(reader, columns, splits, splitter, settings, folder, measure, training)
        tally = outcome(STAGE, "Ingest" >> IngestParts(plan), folder, IngestTally, options)
        counts = tally.counts(measure)
        counts.check()
        where = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        tally.refuse_missing_labels(label, where=where)
        training.check(counts.sampled)
        examples = os.path.join(folder, EXAMPLES_FOLDER)
        if whole:
            rows = SourceRows(reader, reader.parts, splitter)
            check_whole(tally, measure, examples, splits, label, rows, where=where)
        with disk_errors(WRITTEN, output):
            sweep(examples, SPLITS)
            publish_rejects([path for _, path in tally.reject_files], examples)
            publish_dropped([path for _, path in tally.dropped_files], examples)
            counts.write(examples)
            files.move(examples, output)
    return counts


def check_whole(
    tally: IngestTally,
    measure: Measure,
    examples: str,
    splits: SplitOptions,
    label: TaskOptions,
    rows: SourceRows,
    *,
    where: str,
) -> None:
    """Check what needs all rows of a dataset.

    Args:
      tally: of all records and shards.
      measure: of the shards.
      examples: the examples' folder.
      splits: how rows are assigned to splits.
      label: the definition of the label.
      rows: finds rows in the source, for errors.
      where: the source, for errors.

    Raises:
      DataError: a split has no rows, splits are not apart or not in order, the label is the same in
        all rows, or the weights of a split are all 0.
    """
    tally.check_splits(tally.counts(measure), where=where, if_empty=splits.if_empty)
    check_order(tally.shards, measure, splits, rows)
    check_keys(examples, splits, rows)
    check_label(examples, label, where=where)
    check_weights(examples, label.weight, where=where)


@contextlib.contextmanager
def _working_folder(output: str, options: PipelineOptions | None) -> Iterator[str]:
    """Create a folder beside the output, on the same disk, and always remove it.

    Raises:
      DataError: the output is not empty.
    """
    output = files.absolute(output)
    if files.names(output):
        raise DataError("the output folder is not empty", where=output)
    parent, name = os.path.split(output)
    with contextlib.ExitStack() as stack:
        with disk_errors(WRITTEN, output):
            shared = runner.shared_folder(parent, STAGE, options, prefix=f"{name}.partial-")
            folder = stack.enter_context(shared)
            files.make_folder(os.path.join(folder, EXAMPLES_FOLDER))
            reserve(folder)
        yield folder


def _note_ignored(parts: Sequence[Part]) -> None:
    """Report the columns of the files that are not in the examples."""
    ignored = sorted({name for part in parts for name in part.ignored})
    if ignored:
        progress.note(STAGE, ignored_columns=", ".join(ignored))
