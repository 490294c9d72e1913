"""The steps of an ingest in Beam: parts of a source to shards of examples, and one tally.

Rows go through files in a working folder; only their positions go through Beam.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics

from components import progress
from components.examples import arrow_schema
from components.ingest.dropped import DroppedWriter
from components.ingest.exchange import (
    Piece,
    PieceWriter,
    Router,
    collect,
    plan_shards,
    with_folds,
    write_shard,
)
from components.ingest.failures import keep_failure
from components.ingest.rejects import RejectWriter
from components.ingest.split_facts import Measure
from components.ingest.splits.protocol import Splitter
from components.ingest.tally import IngestTally
from components.ingest.training import TrainingRules, TrainingSeen
from components.prepare.reading import PreparedBlock, PreparedReader
from components.sources.protocol import Part
from schemas.columns import Column
from schemas.examples import Examples
from schemas.splits.options import SPLITS, SplitOptions

STAGE = "ingest"
EXAMPLES_FOLDER = "examples"  # in the working folder
WRITTEN = "the examples"  # for errors of a disk
_TRAIN = SPLITS.index("train")


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
        with keep_failure(self._plan.folder, WRITTEN):
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
        with keep_failure(plan.folder, WRITTEN):
            table = collect([p for p in pieces if p is not None], arrow_schema(plan.columns))
            tally = IngestTally()
            if split == SPLITS[_TRAIN] and plan.training.any:
                table, tally = self._chosen(shard, table, seen)
            if split == "train" and plan.measure.folds is not None:
                table = with_folds(table, plan.router.splitter)
            facts = plan.measure.of(shard, split, table)
            path = shards.path_of(os.path.join(plan.folder, EXAMPLES_FOLDER), shard)
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
