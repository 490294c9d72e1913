"""Reads Avro files; a row's place is the number of its record, from 1.

fastavro decodes records to Python objects, of which one batch is in memory at a time.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import fastavro
import pyarrow as pa

from components import files
from components.sources.avro_arrays import array_of
from components.sources.avro_blocks import AvroBlock, AvroHeader, read_blocks, read_header
from components.sources.avro_schema import AvroColumn, columns_of, without_logical_types
from components.sources.magic import AVRO
from components.sources.typed_checks import TypedFormat
from components.sources.typed_file import FileSize, TypedReader, sample_first, unique_names
from schemas.sources.avro import Avro

HAS_TYPES = True
_MOST_ROWS = 8_192  # of Python objects at a time


class AvroRecords:
    """An open Avro file, described by its header."""

    def __init__(self, path: str) -> None:
        self._path = path
        with files.open_read(path) as file:
            self._header = read_header(file)
            self._bytes = file.seek(0, os.SEEK_END)
        self._columns = columns_of(self._header.schema)
        self.schema = pa.schema([(column.name, column.arrow) for column in self._columns])

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the size of these columns if all of the file is like the first block."""
        with files.open_read(self._path) as file:
            file.seek(self._header.size)
            block = next(read_blocks(file, self._header), None)
        if block is None:
            return FileSize(0, 0)
        blocks = (self._bytes - self._header.size) / block.size
        share = len(names) / max(len(self._columns), 1)
        return FileSize(block.records * blocks, len(block.data) * blocks * share)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns, a bounded number of rows at a time."""
        columns = [column for column in self._columns if column.name in names]
        schema = pa.schema([(column.name, column.arrow) for column in columns])
        with files.open_read(self._path) as file:
            file.seek(self._header.size)
            records = decoded(read_blocks(file, self._header), self._header)
            while batch := list(itertools.islice(records, min(rows, _MOST_ROWS))):
                yield pa.RecordBatch.from_arrays(_arrays(batch, columns), schema=schema)


def decoded(blocks: Iterator[AvroBlock], header: AvroHeader) -> Iterator[dict[str, Any]]:
    """Yield the records of blocks; values of logical types as they are stored.

    Raises:
      OSError: the blocks are damaged.
    """
    return (record for record, _ in _with_bytes(blocks, header))


class RecordsAt(NamedTuple):
    """Some records of a file.

    Attributes:
      schema: by which they are encoded.
      rows: their columns that have a name of their own.
      encoded: the bytes of each.
    """

    schema: Any
    rows: pa.Table
    encoded: list[bytes]


def records_at(path: str, numbers: Collection[int]) -> RecordsAt:
    """Return the records with these numbers, from 1, in order; the file is decoded once.

    Raises:
      OSError: the file is damaged.
    """
    with files.open_read(path) as file:
        header = read_header(file)
        numbered = enumerate(_with_bytes(read_blocks(file, header), header), 1)
        found = [each for number, each in numbered if number in numbers]
    every = columns_of(header.schema)
    names = unique_names(pa.schema([(column.name, column.arrow) for column in every]))
    columns = [column for column in every if column.name in names]
    schema = pa.schema([(column.name, column.arrow) for column in columns])
    arrays = _arrays([record for record, _ in found], columns)
    rows = pa.Table.from_arrays(arrays, schema=schema)
    return RecordsAt(header.schema, rows, [encoded for _, encoded in found])


def _with_bytes(
    blocks: Iterator[AvroBlock], header: AvroHeader
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield the records of blocks, each with the bytes that it is decoded from."""
    schema = _parsed(without_logical_types(header.schema))
    for block in blocks:
        stream, begin = io.BytesIO(block.data), 0
        for _ in range(block.records):
            record, end = _decoded(stream, schema), stream.tell()
            yield record, block.data[begin:end]
            begin = end
        if begin != len(block.data):
            raise OSError("a block has more bytes than its records")


def _parsed(schema: Any) -> Any:
    try:
        return fastavro.parse_schema(schema)
    except Exception as error:  # of a wrong schema: any
        raise OSError(f"its schema is not one: {error!r}") from error


def _decoded(stream: IO[bytes], schema: Any) -> dict[str, Any]:
    try:
        record = fastavro.schemaless_reader(
            stream, schema, None, handle_unicode_errors="surrogateescape"
        )
    except Exception as error:  # of damaged bytes: any, from IndexError to OverflowError
        raise OSError(f"a record cannot be decoded: {error!r}") from error
    assert isinstance(record, dict)  # the schema is that of a record
    return record


def _arrays(records: Sequence[Mapping[str, Any]], columns: Sequence[AvroColumn]) -> list[pa.Array]:
    """Return columns of records."""
    return [array_of(_values(records, column.path), column.arrow) for column in columns]


def _values(records: Sequence[Mapping[str, Any]], path: Sequence[str]) -> list[Any]:
    """Return the value at a path in each record, None where a record on the way is missing."""
    first, *inner = path
    values = [record[first] for record in records]
    for name in inner:
        values = [None if value is None else value[name] for value in values]
    return values


class Reader(TypedReader):
    """Reads Avro files."""

    format = TypedFormat("Avro", "a readable Avro file", (AVRO,), endings=Avro.endings)

    @classmethod
    def opened(cls, path: str) -> AvroRecords:
        """Open an Avro file by its header."""
        return AvroRecords(path)


def draft(path: str) -> Avro:
    """Return the options that a file needs."""
    return Avro(path=path)


def sample(options: Avro, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, and whether these are all."""
    return sample_first(path, Reader, rows)
