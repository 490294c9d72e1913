"""Files of rows to score → batches of the model's columns, and rejected rows.

Files are read by ingest's own readers, so a row means here what it meant in training. The label's
columns need not be there. Memory is flat: a file is read a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.score.formats import Format
from components.score.sinks import can_hold
from components.sources.protocol import Block, Reader, Selection, open_reader
from components.sources.rejects import Reject
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources import plain
from schemas.sources.options import Options
from schemas.types import BYTES

BATCH_ROWS = 65_536
SOURCE, LINE = "source", "line"


@dataclass(frozen=True)
class Wanted:
    """What is read from each file.

    Attributes:
      inputs: the columns that the model takes.
      keys: the columns that say in the output which row is which; none stands for the row's
        source and line.
      source: how files of its kind are written, wherever they are; those of others are plain.
      written_as: the format that keys are written in.
      columns: those of schema.pbtxt, as far as they are known: what a key of a CSV file is.
    """

    inputs: tuple[Column, ...]
    keys: tuple[str, ...]
    source: Options | None = None
    written_as: Format = "parquet"
    columns: tuple[Column, ...] = ()

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The keys as columns of a CSV file: of the schema's type, or the model's, else text."""
        kinds = {column.name: column.kind for column in (*self.inputs, *self.columns)}
        return tuple(Column(key, kinds.get(key, BYTES.name), serving=True) for key in self.keys)

    def reader_of(self, path: str) -> Reader[Any]:
        """Return the reader of a file, whose kind its name's ending tells.

        Raises:
          ConfigError: the source's options do not fit each other.
        """
        return open_reader(
            _options(path, self.source), Selection(self.inputs, keys=self.key_columns)
        )


def _options(path: str, source: Options | None) -> Options:
    by_ending = plain(path)
    return source if source is not None and source.format == by_ending.format else by_ending


@dataclass(frozen=True)
class Rows:
    """What became of some consecutive rows of a file.

    Attributes:
      read: how many there were.
      carried: the keys of those that can be scored, or their source and line.
      inputs: their columns, in the order of `Wanted.inputs`.
      rejects: the others.
    """

    read: int
    carried: pa.RecordBatch
    inputs: pa.RecordBatch
    rejects: tuple[Reject, ...]


def check_kinds(paths: Sequence[str]) -> None:
    """Check that files are of the kinds that their names say, by where they begin or end.

    Raises:
      DataError: a file is of another kind, or cannot be read.
    """
    for path in paths:
        open_reader(_options(path, None), Selection(())).check(path)


def carried_schema(paths: Sequence[str], wanted: Wanted) -> pa.Schema:
    """Return the Arrow schema of what is carried from the files; looks at them, and reads no row.

    Raises:
      DataError: a file cannot be read, lacks a column, or has a key that the output cannot hold or
        of another type than another file's.
    """
    schemas = [(path, _schema_of(path, wanted)) for path in paths]
    first_path, first = schemas[0]
    for path, schema in schemas[1:]:
        if schema != first:
            raise DataError(
                "the key columns are of other types than in another file",
                where=path,
                expected=f"those of {first_path}: {_told(first)}; here they are: {_told(schema)}",
                remedy="score files of different kinds apart",
            )
    return first


def _told(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def _schema_of(path: str, wanted: Wanted) -> pa.Schema:
    reader = wanted.reader_of(path)
    keys = reader.key_types(reader.parts(path)[0])
    for key in keys:
        if not can_hold(wanted.written_as, key.type):
            raise DataError(
                f"the key {key.name!r} is {key.type}, which {wanted.written_as} output cannot hold",
                where=path,
                expected="a key of text, numbers, booleans, dates or times",
                remedy=f"write scores as Parquet, or the key as text: CAST({key.name} AS VARCHAR)",
            )
    return keys if wanted.keys else pa.schema([(SOURCE, pa.string()), (LINE, pa.int64())])


def read_rows(path: str, wanted: Wanted) -> Iterator[Rows]:
    """Yield a file's rows in order, at most `BATCH_ROWS` to be scored at a time.

    Raises:
      DataError: the file cannot be read, or lacks a column.
    """
    reader = wanted.reader_of(path)
    for part in reader.parts(path):
        for block in reader.read(part):
            yield from _parted(_rows(block, path, wanted))


def _rows(block: Block, path: str, wanted: Wanted) -> Rows:
    columns, count = block.columns.columns, len(wanted.inputs)
    inputs = pa.RecordBatch.from_arrays(columns[:count], [c.name for c in wanted.inputs])
    if wanted.keys:
        carried = pa.RecordBatch.from_arrays(columns[count:], list(wanted.keys))
    else:
        carried = _places(path, block.places)
    return Rows(block.read, carried, inputs, block.rejects)


def _places(path: str, places: np.ndarray) -> pa.RecordBatch:
    sources = pa.DictionaryArray.from_arrays(np.zeros(len(places), np.int32), pa.array([path]))
    return pa.RecordBatch.from_arrays(
        [sources.dictionary_decode(), pa.array(places, pa.int64())], [SOURCE, LINE]
    )


def _parted(rows: Rows) -> Iterator[Rows]:
    """Part rows into batches; the first tells of all that was read."""
    for start in range(0, max(rows.inputs.num_rows, 1), BATCH_ROWS):
        first = start == 0
        yield Rows(
            rows.read if first else 0,
            rows.carried.slice(start, BATCH_ROWS),
            rows.inputs.slice(start, BATCH_ROWS),
            rows.rejects if first else (),
        )
