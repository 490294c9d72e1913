"""A file of rows to score, CSV or Parquet → batches of the model's columns, and rejected rows.

CSV is read by ingest's own parser and rules, so a row means here what it meant in training. The
label's columns need not be there. Memory is flat: a file is read a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.arrow_files import ParquetFile, open_parquet
from components.examples import arrow_schema
from components.ingest.byte_source import ByteSource
from components.ingest.csv_blocks import read_records
from components.ingest.header import read_fields
from components.ingest.parse import parse
from components.ingest.rejects import Reason, Reject
from components.ingest.rules import Rules
from components.score import parquet_checks
from components.score.formats import Format
from components.score.typed import of_arrow
from schemas.columns import Column
from schemas.errors import DataError
from schemas.spec import CsvSource

BATCH_ROWS = 65_536
SOURCE, LINE = "source", "line"
PARQUET = ".parquet"


@dataclass(frozen=True)
class Wanted:
    """What is read from each file.

    Attributes:
      inputs: the columns that the model takes.
      keys: the columns that say in the output which row is which; none stands for the row's
        source and line.
      csv: how CSV files are written; where they are is not asked.
      written_as: the format that keys are written in.
      columns: those of schema.pbtxt, as far as they are known: what a key of a CSV file is.
    """

    inputs: tuple[Column, ...]
    keys: tuple[str, ...]
    csv: CsvSource
    written_as: Format = "parquet"
    columns: tuple[Column, ...] = ()

    @property
    def rules(self) -> Rules:
        """What makes a CSV record a row: the inputs, and after them the keys, have values that fit.

        Raises:
          ConfigError: the delimiter cannot part values.
        """
        return Rules.of(self.csv, self.inputs + self.key_columns, label=None)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The keys as columns of a CSV file: of the schema's type, or the model's, else text."""
        kinds = {column.name: column.kind for column in (*self.inputs, *self.columns)}
        return tuple(Column(key, kinds.get(key, "BYTES"), serving=True) for key in self.keys)


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


def is_parquet(path: str) -> bool:
    """Whether a file is Parquet; any other is CSV."""
    return path.endswith(PARQUET)


def check_kinds(paths: Sequence[str]) -> None:
    """Check that files are Parquet or text, as their names say, by where they begin or end.

    Raises:
      DataError: a file is of another kind, or cannot be read.
    """
    for path in paths:
        if is_parquet(path):
            _opened_parquet(path)
        else:
            with ByteSource(path):
                pass  # which looks at its first bytes


def carried_schema(paths: Sequence[str], wanted: Wanted) -> pa.Schema:
    """Return the Arrow schema of what is carried from the files; looks at them, and reads no row.

    Raises:
      DataError: a file cannot be read, lacks a column, or has a key of another type than another.
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
    if is_parquet(path):
        schema = _open_parquet(path, wanted).schema_arrow
    else:
        read_fields(path, wanted.rules)
        schema = arrow_schema(wanted.key_columns)
    if not wanted.keys:
        return pa.schema([(SOURCE, pa.string()), (LINE, pa.int64())])
    return pa.schema([pa.field(key, schema.field(key).type) for key in wanted.keys])


def read_rows(path: str, wanted: Wanted) -> Iterator[Rows]:
    """Yield a file's rows in order, at most `BATCH_ROWS` to be scored at a time.

    Raises:
      DataError: the file cannot be read, or lacks a column.
    """
    blocks = _read_parquet(path, wanted) if is_parquet(path) else _read_csv(path, wanted)
    for rows in blocks:
        yield from _parted(rows)


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


def _read_csv(path: str, wanted: Wanted) -> Iterator[Rows]:
    rules = wanted.rules
    fields = read_fields(path, rules)
    for block in read_records(path, rules.dialect):
        parsed = parse(block, fields, rules)
        columns, count = parsed.examples.columns, len(wanted.inputs)
        if wanted.keys:
            carried = pa.RecordBatch.from_arrays(columns[count:], list(wanted.keys))
        else:
            carried = _places(path, block.lines_of(parsed.records))
        inputs = pa.RecordBatch.from_arrays(columns[:count], [c.name for c in wanted.inputs])
        yield Rows(len(block), carried, inputs, parsed.rejects)


def _places(path: str, lines: np.ndarray) -> pa.RecordBatch:
    sources = pa.DictionaryArray.from_arrays(np.zeros(len(lines), np.int32), pa.array([path]))
    return pa.RecordBatch.from_arrays(
        [sources.dictionary_decode(), pa.array(lines, pa.int64())], [SOURCE, LINE]
    )


def _read_parquet(path: str, wanted: Wanted) -> Iterator[Rows]:
    file, first = _open_parquet(path, wanted), 1
    names = list(dict.fromkeys([c.name for c in wanted.inputs] + list(wanted.keys)))
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
            yield _typed(batch, path, first, wanted)
            first += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise parquet_checks.unreadable(path, error) from error


def _typed(batch: pa.RecordBatch, path: str, first: int, wanted: Wanted) -> Rows:
    """Give the rows the model's types; `first` is the number of the first one, from 1."""
    arrays, reasons = [], np.zeros(batch.num_rows, np.uint8)
    culprits = np.zeros(batch.num_rows, np.int64)
    for position, column in enumerate(wanted.inputs):
        array = batch.column(batch.schema.get_field_index(column.name))
        cells = of_arrow(array, column.kind)
        assert cells is not None  # the file's types were checked when it was opened
        arrays.append(cells.values)
        new = (reasons == 0) & (cells.reasons > 0)
        reasons[new], culprits[new] = cells.reasons[new], position
    keys = [batch.column(batch.schema.get_field_index(key)) for key in wanted.keys]
    carried = (
        pa.RecordBatch.from_arrays(keys, list(wanted.keys))
        if keys
        else _places(path, np.arange(first, first + batch.num_rows))
    )
    inputs = pa.RecordBatch.from_arrays(arrays, [c.name for c in wanted.inputs])
    good = pa.array(reasons == 0)
    rejects = tuple(
        _reject(batch, int(row), path, first, wanted.inputs[culprits[row]].name, reasons[row])
        for row in np.flatnonzero(reasons)
    )
    return Rows(batch.num_rows, carried.filter(good), inputs.filter(good), rejects)


def _reject(
    batch: pa.RecordBatch, row: int, path: str, first: int, column: str, reason: int
) -> Reject:
    record = batch.slice(row, 1).to_pylist()[0]
    return Reject(
        path, first + row, column, str(record[column]), Reason(int(reason)), repr(record).encode()
    )


def _opened_parquet(path: str) -> ParquetFile:
    try:
        return open_parquet(path)
    except (OSError, pa.ArrowException) as error:
        raise parquet_checks.unreadable(path, error) from error


def _open_parquet(path: str, wanted: Wanted) -> ParquetFile:
    file = _opened_parquet(path)
    parquet_checks.check(
        file.schema_arrow, wanted.inputs, wanted.keys, wanted.written_as, where=path
    )
    return file
