"""Reads Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from components.arrow_files import open_parquet
from components.sources import nested
from components.sources.magic import PARQUET
from components.sources.typed_checks import TypedFormat, unreadable
from components.sources.typed_file import (
    FAILURES,
    FileSize,
    TypedReader,
    is_plain,
    unique_names,
)
from components.sources.typed_rows import BATCH_ROWS, TypedPart
from schemas.sources.parquet import Parquet

RANGE_BYTES = 256 << 20  # of one part
_NUMBER_BYTES = 8
HAS_TYPES = True


@dataclass(frozen=True)
class ParquetPart(TypedPart):
    """Consecutive row groups of a file, by their positions."""

    groups: range = range(0)


class ParquetRows:
    """An open Parquet file, described by its footer.

    Attributes:
      file: the file.
      groups: the positions of the row groups to read.
    """

    def __init__(self, path: str) -> None:
        self.file = open_parquet(path)
        self.groups = range(self.file.num_row_groups)

    @property
    def schema(self) -> pa.Schema:
        """The columns' names and types."""
        return self.file.schema_arrow

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the number of rows, and the size of these columns by the footer."""
        footer = self.file.metadata
        groups = range(footer.num_row_groups)
        return FileSize(footer.num_rows, sum(_size(footer, group, names) for group in groups))

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns, so many rows at a time."""
        groups = list(self.groups)
        if not groups:
            return  # pyarrow 18 cannot read none
        yield from self.file.iter_batches(rows, row_groups=groups, columns=names, use_threads=False)


class Reader(TypedReader):
    """Reads Parquet files."""

    format = TypedFormat("Parquet", "a readable Parquet file", (PARQUET,), endings=Parquet.endings)

    @classmethod
    def opened(cls, path: str) -> ParquetRows:
        """Open a Parquet file by its footer."""
        return ParquetRows(path)

    def ranges(self, part: TypedPart) -> list[TypedPart]:
        """Divide a file into consecutive row groups of about `RANGE_BYTES`, by its footer."""
        file = self._opened_part(part)
        footer, names = file.file.metadata, nested.outer_of(file.schema, self._names())
        ranges: list[TypedPart] = []
        start, first, row, size = 0, 1, 1, 0.0
        for group in range(footer.num_row_groups):
            row += footer.row_group(group).num_rows
            size += _size(footer, group, names)
            if size >= RANGE_BYTES or group == footer.num_row_groups - 1:
                groups = range(start, group + 1)
                ranges.append(ParquetPart(**{**vars(part), "first_row": first}, groups=groups))
                start, first, size = group + 1, row, 0.0
        return ranges if len(ranges) > 1 else [part]

    def _opened_part(self, part: TypedPart) -> ParquetRows:
        file = self.open(part.path)
        assert isinstance(file, ParquetRows)
        if isinstance(part, ParquetPart):
            file.groups = part.groups
        return file


def _size(footer: Any, group: int, names: Sequence[str]) -> float:
    """Return the approximate uncompressed size of some columns of a row group in bytes."""
    chunks = [footer.row_group(group).column(position) for position in range(footer.num_columns)]
    inner = tuple(f"{name}." for name in names)  # such as tags.list.element
    return sum(
        _chunk_size(c)
        for c in chunks
        if c.path_in_schema in names or c.path_in_schema.startswith(inner)
    )


def _chunk_size(chunk: Any) -> float:
    if chunk.physical_type != "BYTE_ARRAY":
        return chunk.num_values * _NUMBER_BYTES
    size: float = chunk.total_uncompressed_size
    bounds = chunk.statistics
    if bounds is not None and bounds.has_min_max:
        # a dictionary has each text once, so two distinct ones show the approximate length
        length = (len(bounds.min_raw) + len(bounds.max_raw)) / 2
        size = max(size, chunk.num_values * length)
    return size


def draft(path: str) -> Parquet:
    """Return the options that a file needs."""
    return Parquet(path=path)


def _first_rows(file: Any, group: int, most: int) -> pa.Table:
    """Return the first rows of a row group, which may be far larger than memory."""
    batches, found = [], 0
    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
        batches.append(batch)
        found += batch.num_rows
        if found >= most:
            break
    return pa.Table.from_batches(batches, file.schema_arrow).slice(0, most)


def sample(options: Parquet, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return rows of a file, from row groups all over it, and whether these are all."""
    try:
        file = ParquetRows(path).file
        groups = file.metadata.num_row_groups
        step = max(1, -(-file.metadata.num_rows // max(rows, 1)))
        chosen = range(0, groups, min(step, max(groups, 1)))
        most = -(-rows // max(len(chosen), 1))
        parts = [_first_rows(file, group, most) for group in chosen]
        table = pa.concat_tables(parts) if parts else file.schema_arrow.empty_table()
    except FAILURES as error:
        raise unreadable(path, error, Reader.format) from error
    columns = nested.columns_of(table.schema)
    names = [name for name in unique_names(columns) if is_plain(columns.field(name))]
    taken = [nested.taken(batch, names) for batch in table.to_batches()]
    schema = pa.schema([columns.field(name) for name in names])
    first = pa.Table.from_batches(taken, None if taken else schema).slice(0, rows)
    return first, table.num_rows == file.metadata.num_rows <= rows
