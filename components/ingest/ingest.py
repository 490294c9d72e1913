"""CSV files → Examples, typed, split and shuffled, beside rejected records and counts.

Promises: every record is an example or a reject, and `counts.json` says how many of each; the same
input gives the same examples in the same order; the output folder appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions

from components import files, progress, runner
from components.examples import arrow_schema, sweep
from components.ingest.counts import Counts
from components.ingest.csv_blocks import read_records
from components.ingest.exchange import Piece, PieceWriter, Router, plan_shards, write_shard
from components.ingest.failures import disk_errors, keep_failure, reserve
from components.ingest.header import Fields, read_fields
from components.ingest.label_values import check_label
from components.ingest.outcome import outcome
from components.ingest.parse import parse
from components.ingest.rejects import RejectWriter, publish_rejects
from components.ingest.rules import Rules
from components.ingest.tally import Tally
from schemas.columns import Column
from schemas.errors import DataError
from schemas.spec import SPLITS, CsvSource, Examples, Label, Splits

STAGE = "ingest"
_EXAMPLES = "examples"
_WRITTEN = "the examples"


def ingest(
    *,
    source: CsvSource,
    paths: Sequence[str],
    columns: Sequence[Column],
    splits: Splits,
    label: Label,
    settings: Examples,
    output: str,
    options: PipelineOptions | None = None,
) -> Counts:
    """Turn CSV files into a folder of examples.

    Args:
      source: how the files are written.
      paths: the files, in an order that the rows' order depends on.
      columns: the examples' columns; others in the files are ignored.
      splits: the key and shares of the splits.
      label: its columns may not be missing.
      settings: rows of a batch and of a shard.
      output: the folder to make, which is not there yet or empty.
      options: where Beam runs; None is in this process.

    Returns:
      How many records became what, as `counts.json` says.

    Raises:
      DataError: a file is missing, empty, unreadable or lacks a column; no record became a
        training example, or the label is the same in all of them; the output cannot be written.
      ConfigError: the source's delimiter cannot part values.
    """
    if not paths:
        raise DataError("no file matches the source's path", where=source.path)
    rules = Rules.of(source, columns, label)
    fields = [read_fields(path, rules) for path in paths]
    _note_ignored(fields)
    with _working_folder(output, options) as folder:
        plan = Plan.of(fields, rules, splits, settings, folder)
        tally = outcome(STAGE, "Ingest" >> IngestCsv(plan), folder, Tally, options)
        counts = tally.counts()
        counts.check()
        where = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        tally.check_training(where=where)
        examples = os.path.join(folder, _EXAMPLES)
        check_label(examples, label, where=where)
        with disk_errors(_WRITTEN, output):
            sweep(examples, SPLITS)
            publish_rejects([path for _, path in tally.reject_files], examples)
            counts.write(examples)
            files.move(examples, output)
    return counts


@dataclass(frozen=True)
class Plan:
    """What workers need to know.

    Attributes:
      files: what is to be read.
      rules: what makes a record an example.
      router: which shard an example goes to.
      batch_rows: rows of a row group.
      folder: where to work: pieces, and the examples until they are whole.
    """

    files: tuple[Fields, ...]
    rules: Rules
    router: Router
    batch_rows: int
    folder: str

    @classmethod
    def of(
        cls,
        files: Sequence[Fields],
        rules: Rules,
        splits: Splits,
        settings: Examples,
        folder: str,
    ) -> Plan:
        """Return the plan for these files, its number of shards from their estimated size."""
        names = [c.name for c in rules.columns]
        shards = plan_shards(
            rows=sum(f.rows for f in files),
            text_bytes=sum(f.text_bytes for f in files),
            splits=splits,
            shard_rows=settings.shard_rows,
        )
        return cls(
            files=tuple(files),
            rules=rules,
            router=Router(tuple(names.index(n) for n in splits.key), splits, shards),
            batch_rows=settings.batch_rows,
            folder=folder,
        )


class IngestCsv(beam.PTransform):
    """Reads CSV files and writes shards of examples and files of rejects into `plan.folder`.

    Gives one `Tally`. Rows travel through files, only their places through Beam:

    >>> pipeline | IngestCsv(plan) | beam.Map(print)  # doctest: +SKIP
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[Tally]:
        """Build the steps."""
        plan = self._plan
        read = (
            pbegin
            | "Files" >> beam.Create(list(enumerate(plan.files)), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_ReadFile(plan)).with_outputs("tallies", main="pieces")
        )
        # a shard that no piece belongs to is written too
        shards = pbegin | "Shards" >> beam.Create(
            [(shard, None) for shard in range(plan.router.shards.total)], reshuffle=False
        )
        written = (
            (read.pieces, shards)
            | "ShardsAndPieces" >> beam.Flatten()
            | "PiecesByShard" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(_WriteShard(plan))
        )
        return (
            (read.tallies, written)
            | "Tallies" >> beam.Flatten()
            | "Add" >> beam.CombineGlobally(Tally.add)
        )

    def display_data(self) -> dict[str, int | str]:
        """Describe the job where a runner shows it."""
        return {"files": len(self._plan.files), "shards": self._plan.router.shards.total}


class _ReadFile(beam.DoFn):
    """A source file → the pieces its rows lie in, by shard; and its tally."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._read = Metrics.counter(STAGE, "records_read")
        self._rejected = Metrics.counter(STAGE, "records_rejected")

    def process(
        self, file: tuple[int, Fields]
    ) -> Iterator[tuple[int, Piece] | beam.pvalue.TaggedOutput]:
        position, fields = file
        with keep_failure(self._plan.folder, _WRITTEN):
            tally, pieces = self._exchange(position, fields)
        yield beam.pvalue.TaggedOutput("tallies", tally)
        yield from pieces

    def _exchange(self, position: int, fields: Fields) -> tuple[Tally, list[tuple[int, Piece]]]:
        plan, tally = self._plan, Tally()
        schema = arrow_schema(plan.rules.columns)
        with (
            PieceWriter(plan.folder, schema, plan.router, source=position) as pieces,
            RejectWriter(plan.folder) as rejects,
        ):
            for block in read_records(fields.source, plan.rules.dialect):
                parsed = parse(block, fields, plan.rules)
                pieces.write(parsed.examples)
                rejects.write(parsed.rejects)
                read = Tally(records_read=len(block))
                tally = Tally.add([tally, read, Tally.of_rejects(parsed.rejects, file=position)])
                self._read.inc(len(block))
                self._rejected.inc(len(parsed.rejects))
                progress.rows(STAGE, len(block))
        if rejects.path is not None:
            tally = Tally.add([tally, Tally(reject_files=((position, rejects.path),))])
        return tally, pieces.pieces()


class _WriteShard(beam.DoFn):
    """A shard and its pieces → the shard on disk; and its tally."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._written = Metrics.counter(STAGE, "examples_written")

    def process(self, shard_pieces: tuple[int, Iterable[Piece | None]]) -> Iterator[Tally]:
        shard, pieces = shard_pieces
        plan, shards = self._plan, self._plan.router.shards
        with keep_failure(plan.folder, _WRITTEN):
            rows = write_shard(
                shards.path_of(os.path.join(plan.folder, _EXAMPLES), shard),
                [piece for piece in pieces if piece is not None],
                arrow_schema(plan.rules.columns),
                shard=shard,
                batch_rows=plan.batch_rows,
            )
        self._written.inc(rows)
        yield Tally(examples={shards.split_of(shard): rows})


@contextlib.contextmanager
def _working_folder(output: str, options: PipelineOptions | None) -> Iterator[str]:
    """Make a folder beside the output, on the same disk, and remove it whatever happens.

    Raises:
      DataError: the output has something in it already.
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


def _note_ignored(fields: Sequence[Fields]) -> None:
    """Tell which columns of the files are in no example."""
    ignored = sorted({name for file in fields for name in file.ignored})
    if ignored:
        progress.note(STAGE, ignored_columns=", ".join(ignored))
