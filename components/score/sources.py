"""Reads files of rows to score: batches of the model's columns, and rejected rows.

The readers are those of ingest, so a row has the same meaning as in training. The label's columns
may be missing. Memory is constant: a file is read in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.raw_values import requested_batch
from components.score.formats import Format
from components.score.sinks import can_hold
from components.sources.protocol import Block, Reader, Selection, open_reader
from components.sources.rejects import Reject
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources import plain
from schemas.sources.options import SourceOptions
from schemas.types import BYTES, INT, ColumnType

BATCH_ROWS = 65_536
SOURCE, LINE = "source", "line"


@dataclass(frozen=True)
class Wanted:
    """What to read from each file.

    Attributes:
      inputs: the model's columns.
      keys: the columns that identify rows in the output; none means the row's source and line.
      source: the format of files of its kind; files of other kinds have the default format.
      written_as: the output format of the keys.
      columns: the columns of schema.pbtxt, if known, which have the types of keys in files of text.
    """

    inputs: tuple[Column, ...]
    keys: tuple[str, ...]
    source: SourceOptions | None = None
    written_as: Format = "parquet"
    columns: tuple[Column, ...] = ()

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The keys as columns of CSV or JSON lines: with the schema's type, the model's, or text.

        A boolean or a time is carried as it is written: a number or text.
        """
        types = {column.name: column.type for column in (*self.inputs, *self.columns)}
        kinds = {name: _as_written(each).name for name, each in types.items()}
        return tuple(Column(key, kinds.get(key, BYTES.name), serving=True) for key in self.keys)

    def reader_of(self, path: str) -> Reader[Any]:
        """Return the reader for a file; the ending of its name selects the kind.

        Raises:
          ConfigError: the source's options contradict each other.
        """
        return open_reader(
            _options(path, self.source), Selection(self.inputs, keys=self.key_columns)
        )


def _as_written(column_type: ColumnType) -> ColumnType:
    if column_type.is_requested_as_text or column_type.is_boolean:
        return BYTES
    return INT if column_type.is_whole else column_type


def _options(path: str, source: SourceOptions | None) -> SourceOptions:
    by_ending = plain(path)
    return source if source is not None and source.format == by_ending.format else by_ending


@dataclass(frozen=True)
class ScorableRows:
    """The result of reading consecutive rows of a file.

    Attributes:
      read: the number of rows.
      carried: the keys of rows that can be scored, or their source and line.
      inputs: the inputs of these rows as requests carry them, in the order of `Wanted.inputs`.
      rejects: the other rows.
    """

    read: int
    carried: pa.RecordBatch
    inputs: pa.RecordBatch
    rejects: tuple[Reject, ...]


def check_kinds(paths: Sequence[str]) -> None:
    """Check that files have the formats of their names, by their first or last bytes.

    Raises:
      DataError: a file has another format, or cannot be read.
    """
    for path in paths:
        open_reader(_options(path, None), Selection(())).check(path)


def carried_schema(paths: Sequence[str], wanted: Wanted) -> pa.Schema:
    """Return the Arrow schema of the columns to copy from the files, without reading rows.

    Raises:
      DataError: a file cannot be read, lacks a column, has a key that the output format does not
        support, or has other types of keys than another file.
    """
    schemas = [(path, _schema_of(path, wanted)) for path in paths]
    first_path, first = schemas[0]
    for path, schema in schemas[1:]:
        if schema != first:
            raise DataError(
                "the key columns have other types than in another file",
                where=path,
                expected=f"those of {first_path}: {_types(first)}; here they are: {_types(schema)}",
                remedy="score files of different kinds separately",
            )
    return first


def _types(schema: pa.Schema) -> str:
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


def read_rows(path: str, wanted: Wanted) -> Iterator[ScorableRows]:
    """Yield a file's rows in order, at most `BATCH_ROWS` rows to score at a time.

    Raises:
      DataError: the file cannot be read, or lacks a column.
    """
    reader = wanted.reader_of(path)
    for part in reader.parts(path):
        for block in reader.read(part):
            yield from _parted(_rows(block, part.path, wanted))


def _rows(block: Block, path: str, wanted: Wanted) -> ScorableRows:
    columns, count = block.columns.columns, len(wanted.inputs)
    read = pa.RecordBatch.from_arrays(columns[:count], [c.name for c in wanted.inputs])
    inputs = requested_batch(read, wanted.inputs)
    if wanted.keys:
        carried = pa.RecordBatch.from_arrays(columns[count:], list(wanted.keys))
    else:
        carried = _places(path, block.places)
    return ScorableRows(block.read, carried, inputs, block.rejects)


def _places(path: str, places: np.ndarray) -> pa.RecordBatch:
    sources = pa.DictionaryArray.from_arrays(np.zeros(len(places), np.int32), pa.array([path]))
    return pa.RecordBatch.from_arrays(
        [sources.dictionary_decode(), pa.array(places, pa.int64())], [SOURCE, LINE]
    )


def _parted(rows: ScorableRows) -> Iterator[ScorableRows]:
    """Split rows into batches; the first one counts all rows that were read."""
    for start in range(0, max(rows.inputs.num_rows, 1), BATCH_ROWS):
        first = start == 0
        yield ScorableRows(
            rows.read if first else 0,
            rows.carried.slice(start, BATCH_ROWS),
            rows.inputs.slice(start, BATCH_ROWS),
            rows.rejects if first else (),
        )
