"""Finds the rows that `prepare.drop_duplicates` drops: one pass over the source, with flat memory.

Rows go by a hash of their key to buckets, each of which fits in memory; in a bucket the keys
themselves are compared. Which row of a key is kept depends on values and places alone, so that
every runner and every bundling gives the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from components import files
from components.examples import arrow_schema
from components.ingest.exchange import Piece, PieceWriter, Shards, collect
from components.ingest.failures import keep_failure, reserve
from components.ingest.hashing import hash_rows
from components.ingest.outcome import outcome
from components.prepare.duplicates import duplicates, has_key
from components.prepare.reading import PreparedReader, write_duplicates
from components.sources.protocol import Part
from schemas.columns import Column
from schemas.prepare import DropDuplicates
from schemas.strict import Strict

_STAGE = "ingest"
_FILE, _ROW = "file", "row"  # of a bucket's rows, beside c0, c1, …


class FoundRows(Strict):
    """How many rows are duplicates."""

    rows: int = 0

    @classmethod
    def add(cls, parts: Iterable[FoundRows]) -> FoundRows:
        """Return the sum."""
        return cls(rows=sum(part.rows for part in parts))


@dataclass(frozen=True)
class DuplicateSearch:
    """What workers need to find duplicates.

    Attributes:
      reader: reads the rows that earlier rules keep.
      rule: which rows are duplicates.
      columns: the columns that decide, of schema.pbtxt.
      buckets: how many buckets there are.
      folder: a folder that workers share.
    """

    reader: PreparedReader
    rule: DropDuplicates
    columns: tuple[Column, ...]
    buckets: int
    folder: str

    @property
    def schema(self) -> pa.Schema:
        """The schema of a bucket's rows."""
        own = [pa.field(f"c{i}", each.type) for i, each in enumerate(arrow_schema(self.columns))]
        return pa.schema([*own, pa.field(_FILE, pa.int64()), pa.field(_ROW, pa.int64())])

    @property
    def shards(self) -> Shards:
        """The buckets."""
        return Shards((self.buckets,))

    def route(
        self, batch: pa.RecordBatch, path: str, *, file: int, numbers: np.ndarray
    ) -> np.ndarray:
        """Return each row's bucket; -1 for a row that lacks a value of its key."""
        keys = self._keys(batch)
        bucket = (hash_rows(keys) % np.uint64(self.buckets)).astype(np.int64)
        return np.where(has_key(keys), bucket, -1)

    def rows(self, batch: pa.RecordBatch, file: int, numbers: np.ndarray) -> pa.RecordBatch:
        """Return the rows of a batch as a bucket has them; `numbers` are theirs in the file."""
        own = [batch.column(batch.schema.get_field_index(c.name)) for c in self.columns]
        where = [pa.array(np.full(batch.num_rows, file)), pa.array(numbers)]
        return pa.RecordBatch.from_arrays([*own, *where], schema=self.schema)

    def found(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Return the file and the number of the rows of a bucket that are dropped."""
        arrays = [pa.concat_arrays([*c.chunks, pa.array([], c.type)]) for c in table.columns]
        file, row = (each.to_numpy() for each in arrays[-2:])
        by = self.rule.keep.column
        order = None if by is None else arrays[self._place(by)]
        keys = [arrays[self._place(name)] for name in self.rule.key]
        dropped = duplicates(keys, order, [file, row], self.rule.keep)
        return file[dropped], row[dropped]

    def _keys(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [batch.column(self._place(name)) for name in self.rule.key]

    def _place(self, name: str) -> int:
        return [column.name for column in self.columns].index(name)


def without_duplicates(
    reader: PreparedReader,
    rule: DropDuplicates,
    columns: Sequence[Column],
    bucket_rows: int,
    folder: str,
    options: PipelineOptions | None,
) -> PreparedReader:
    """Return a reader that leaves out duplicates, after a pass that finds them.

    Args:
      reader: reads the rows that earlier rules keep.
      rule: which rows are duplicates.
      columns: of schema.pbtxt.
      bucket_rows: about how many rows fit in memory.
      folder: a working folder, which workers share.
      options: Beam's options; None runs it in this process.
    """
    place = os.path.join(folder, "duplicates")
    files.make_folder(place)
    reserve(place)
    buckets = max(1, int(sum(part.rows for part in reader.parts) // bucket_rows) + 1)
    by_name = {column.name: column for column in columns}
    deciding = tuple(by_name[name] for name in rule.columns)
    search = DuplicateSearch(reader, rule, deciding, buckets, place)
    outcome(_STAGE, "Duplicates" >> _FindDuplicates(search), place, FoundRows, options)
    return replace(reader, duplicates=place)


class _FindDuplicates(beam.PTransform):
    """Writes which rows of each file are duplicates; returns their number."""

    def __init__(self, search: DuplicateSearch) -> None:
        super().__init__()
        self._search = search

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[FoundRows]:
        """Build the steps."""
        return (
            pbegin
            | "Files" >> beam.Create(list(enumerate(self._search.reader.parts)), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Keys" >> beam.FlatMap(_bucketed, self._search)
            | "PiecesByBucket" >> beam.GroupByKey()
            | "Compare" >> beam.FlatMap(_compared, self._search)
            | "RowsByFile" >> beam.GroupByKey()
            | "Write" >> beam.Map(_written, self._search)
            | "Add" >> beam.CombineGlobally(FoundRows.add)
        )


def _bucketed(numbered: tuple[int, Part], search: DuplicateSearch) -> Iterator[tuple[int, Piece]]:
    position, part = numbered
    file, folder = search.reader.files[position], search.folder
    with (
        keep_failure(folder, "the keys"),
        PieceWriter(folder, search.schema, search, part.path, file=file, part=position) as pieces,
    ):
        for block in search.reader.read(part):
            numbers = block.places - part.first_place
            pieces.write(search.rows(block.columns, file, numbers), numbers)
    yield from pieces.pieces()


def _compared(
    bucket: tuple[int, Iterable[Piece]], search: DuplicateSearch
) -> Iterator[tuple[int, bytes]]:
    with keep_failure(search.folder, "the keys"):
        found, rows = search.found(collect(bucket[1], search.schema))
    for file in np.unique(found).tolist():
        yield file, rows[found == file].tobytes()


def _written(found: tuple[int, Iterable[bytes]], search: DuplicateSearch) -> FoundRows:
    file, numbers = found
    rows = np.concatenate([np.frombuffer(each, np.int64) for each in numbers])
    with keep_failure(search.folder, "the duplicates"):
        write_duplicates(search.folder, file, rows)
    return FoundRows(rows=len(rows))
