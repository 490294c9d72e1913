"""Turns files of rows into Examples: typed, split and shuffled, with rejects and counts.

Every record becomes an example or a reject, or is dropped by a rule of `prepare` or of the split,
and `counts.json` has the numbers of each. The same input gives the same examples in the same order.
The output folder appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions

from components import files, progress, runner
from components.examples import arrow_schema, sweep
from components.ingest.counts import Counts
from components.ingest.dropped import DroppedWriter, publish_dropped
from components.ingest.duplicates import without_duplicates
from components.ingest.exchange import (
    Piece,
    PieceWriter,
    Router,
    collect,
    plan_shards,
    with_folds,
    write_shard,
)
from components.ingest.failures import disk_errors, keep_failure, reserve
from components.ingest.label_values import check_label
from components.ingest.outcome import outcome
from components.ingest.rejects import RejectWriter, publish_rejects
from components.ingest.selection import selection_of
from components.ingest.split_checks import SourceRows, check_keys, check_order
from components.ingest.split_facts import Measure
from components.ingest.splits.look_ahead import look_ahead
from components.ingest.splits.protocol import Splitter
from components.ingest.tally import IngestTally
from components.ingest.training import TrainingRules, TrainingSeen
from components.ingest.weights import check_weights
from components.prepare.reading import PreparedBlock, PreparedReader
from components.prepare.rules import RowRules
from components.sources.protocol import Part, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.examples import Examples
from schemas.prepare import EVERY_ROW, Prepare
from schemas.sources.options import SourceOptions
from schemas.splits.options import SPLITS, SplitOptions
from schemas.tasks.options import TaskOptions

STAGE = "ingest"
_EXAMPLES = "examples"
_WRITTEN = "the examples"
_TRAIN = SPLITS.index("train")


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
        examples = os.path.join(folder, _EXAMPLES)
        if whole:
            rows = SourceRows(reader, reader.parts, splitter)
            check_whole(tally, measure, examples, splits, label, rows, where=where)
        with disk_errors(_WRITTEN, output):
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


@dataclass(frozen=True)
class Plan:
    """What workers need for an ingest.

    Attributes:
      reader: reads the parts of the source, in an order that determines the order of rows.
      columns: the examples' columns.
      router: assigns examples to shards.
      batch_rows: the number of rows in a row group.
      folder: the working folder: pieces, and the examples until they are complete.
      measure: measures what is in each shard.
      training: the rules for training rows.
    """

    reader: PreparedReader
    columns: tuple[Column, ...]
    router: Router
    batch_rows: int
    folder: str
    measure: Measure
    training: TrainingRules

    @classmethod
    def of(
        cls,
        reader: PreparedReader,
        columns: Sequence[Column],
        splits: SplitOptions,
        splitter: Splitter,
        settings: Examples,
        folder: str,
        measure: Measure,
        training: TrainingRules,
    ) -> Plan:
        """Return the plan for these parts; their estimated size determines the number of shards."""
        shards = plan_shards(
            rows=sum(part.rows for part in reader.parts),
            text_bytes=sum(part.text_bytes for part in reader.parts),
            shares=splits.shares,
            shard_rows=settings.shard_rows,
        )
        return cls(
            reader=reader,
            columns=tuple(columns),
            router=Router(splitter, shards),
            batch_rows=settings.batch_rows,
            folder=folder,
            measure=measure,
            training=training,
        )

    @property
    def keeps_dropped(self) -> bool:
        """Whether dropped rows are written."""
        return self.training.prepare.keep_dropped


class IngestParts(beam.PTransform):
    """Reads parts of a source; writes shards of examples and files of rejects to `plan.folder`.

    Returns one `IngestTally`. Rows go through files; only their positions go through Beam:

    >>> pipeline | IngestParts(plan) | beam.Map(print)  # doctest: +SKIP
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[IngestTally]:
        """Build the steps."""
        plan = self._plan
        read = (
            pbegin
            | "Files" >> beam.Create(list(enumerate(plan.reader.parts)), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_ReadPart(plan)).with_outputs("tallies", "seen", main="pieces")
        )
        seen = read.seen | "Seen" >> beam.CombineGlobally(TrainingSeen.add)
        # shards without pieces are written, too
        shards = pbegin | "Shards" >> beam.Create(
            [(shard, None) for shard in range(plan.router.shards.total)], reshuffle=False
        )
        written = (
            (read.pieces, shards)
            | "ShardsAndPieces" >> beam.Flatten()
            | "PiecesByShard" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(_WriteShard(plan), beam.pvalue.AsSingleton(seen))
        )
        return (
            (read.tallies, written)
            | "Tallies" >> beam.Flatten()
            | "Add" >> beam.CombineGlobally(IngestTally.add)
        )

    def display_data(self) -> dict[str, int | str]:
        """Describe the job where a runner shows it."""
        return {"parts": len(self._plan.reader.parts), "shards": self._plan.router.shards.total}


class _ReadPart(beam.DoFn):
    """Reads a part of the source into pieces by shard, and a tally."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._read = Metrics.counter(STAGE, "records_read")
        self._rejected = Metrics.counter(STAGE, "records_rejected")

    def process(
        self, numbered: tuple[int, Part]
    ) -> Iterator[tuple[int, Piece] | beam.pvalue.TaggedOutput]:
        position, part = numbered
        with keep_failure(self._plan.folder, _WRITTEN):
            tally, seen, pieces = self._exchange(position, part)
        yield beam.pvalue.TaggedOutput("tallies", tally)
        yield beam.pvalue.TaggedOutput("seen", seen)
        yield from pieces

    def _exchange(
        self, position: int, part: Part
    ) -> tuple[IngestTally, TrainingSeen, list[tuple[int, Piece]]]:
        plan, tally, seen = self._plan, IngestTally(), TrainingSeen()
        schema = arrow_schema(plan.columns)
        with (
            PieceWriter(
                plan.folder,
                schema,
                plan.router,
                part.path,
                file=plan.reader.files[position],
                part=position,
            ) as pieces,
            RejectWriter(plan.folder) as rejects,
            DroppedWriter(plan.folder, plan.columns) as dropped,
        ):
            for block in plan.reader.read(part):
                if plan.training.looks:
                    seen = TrainingSeen.add([seen, self._seen(block, part)])
                pieces.write(block.columns, block.places - part.first_place)
                rejects.write(block.rejects)
                tally = IngestTally.add([tally, _tally_of(block, position)])
                for each in block.dropped if plan.keeps_dropped else ():
                    dropped.write(each.rule, each.rows, source=part.path, places=each.places)
                self._read.inc(block.read)
                self._rejected.inc(len(block.rejects))
                progress.rows(STAGE, block.read)
        if pieces.dropped:
            rule = plan.router.splitter.DROPS
            tally = IngestTally.add([tally, IngestTally(dropped={rule: pieces.dropped})])
        if rejects.path is not None:
            tally = IngestTally.add([tally, IngestTally(reject_files=((position, rejects.path),))])
        if dropped.path is not None:
            tally = IngestTally.add([tally, IngestTally(dropped_files=((position, dropped.path),))])
        return tally, seen, pieces.pieces()

    def _seen(self, block: PreparedBlock, part: Part) -> TrainingSeen:
        """Return what the rules for training rows have to know of a block."""
        split = self._plan.router.splitter.assign(block.columns, part.path)
        return self._plan.training.seen(block.columns.filter(pa.array(split == _TRAIN)))


def _tally_of(block: PreparedBlock, position: int) -> IngestTally:
    return IngestTally.add(
        [
            IngestTally(records_read=block.read),
            IngestTally.of_rejects(block.rejects, file=position),
            IngestTally(dropped={each.rule: each.rows.num_rows for each in block.dropped}),
        ]
    )


class _WriteShard(beam.DoFn):
    """Writes a shard from its pieces, and returns a tally."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._written = Metrics.counter(STAGE, "examples_written")

    def process(
        self, shard_pieces: tuple[int, Iterable[Piece | None]], seen: TrainingSeen
    ) -> Iterator[IngestTally]:
        shard, pieces = shard_pieces
        plan, shards = self._plan, self._plan.router.shards
        split = shards.split_of(shard)
        with keep_failure(plan.folder, _WRITTEN):
            table = collect([p for p in pieces if p is not None], arrow_schema(plan.columns))
            tally = IngestTally()
            if split == SPLITS[_TRAIN] and plan.training.any:
                table, tally = self._chosen(shard, table, seen)
            if split == "train" and plan.measure.folds is not None:
                table = with_folds(table, plan.router.splitter)
            facts = plan.measure.of(shard, split, table)
            path = shards.path_of(os.path.join(plan.folder, _EXAMPLES), shard)
            rows = write_shard(path, table, shard=shard, batch_rows=plan.batch_rows)
        self._written.inc(rows)
        yield IngestTally.add([tally, IngestTally(examples={split: rows}, shards=(facts,))])

    def _chosen(
        self, shard: int, table: pa.Table, seen: TrainingSeen
    ) -> tuple[pa.Table, IngestTally]:
        """Return what the rules leave of training rows, and what became of the others."""
        plan = self._plan
        chosen = plan.training.choose(table, seen)
        with DroppedWriter(plan.folder, plan.columns) as dropped:
            for rule, rows in chosen.dropped.items() if plan.keeps_dropped else ():
                for batch in rows.to_batches():
                    dropped.write(rule, batch)
        path = () if dropped.path is None else ((len(plan.reader.parts) + shard, dropped.path),)
        return chosen.rows, IngestTally(
            dropped={rule: rows.num_rows for rule, rows in chosen.dropped.items()},
            repeated=chosen.repeated,
            sampled=chosen.sampled,
            dropped_files=path,
        )


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
        with disk_errors(_WRITTEN, output):
            shared = runner.shared_folder(parent, STAGE, options, prefix=f"{name}.partial-")
            folder = stack.enter_context(shared)
            files.make_folder(os.path.join(folder, _EXAMPLES))
            reserve(folder)
        yield folder


def _note_ignored(parts: Sequence[Part]) -> None:
    """Report the columns of the files that are not in the examples."""
    ignored = sorted({name for part in parts for name in part.ignored})
    if ignored:
        progress.note(STAGE, ignored_columns=", ".join(ignored))
