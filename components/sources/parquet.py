"""Reads Parquet files into blocks of typed rows; a row's place is its number in the file, from 1.

Values are checked as strictly as in CSV, with the same reasons for rejects. A column of the file
must have a type that fits, which the footer shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components.arrow_files import ParquetFile, open_parquet
from components.examples import arrow_schema, column
from components.sources import lists, protocol
from components.sources.cells import Cells, first_reasons
from components.sources.parquet_checks import check_columns, unreadable
from components.sources.protocol import Block, Part, Selection
from components.sources.rejects import Reject, RejectReason
from components.sources.texts import trimmed, with_nulls
from components.sources.typed import of_arrow
from schemas.columns import Column
from schemas.sources.parquet import Parquet

BATCH_ROWS = 65_536
_NUMBER_BYTES = 8
HAS_TYPES = True


@dataclass(frozen=True)
class ParquetPart(Part):
    """A Parquet file, described by its footer.

    Attributes:
      key_types: the types of the keys.
    """

    key_types: pa.Schema


class Reader(protocol.Reader[ParquetPart]):
    """Reads Parquet files."""

    def __init__(self, options: Parquet, selection: Selection) -> None:
        self._options = options
        self._selection = selection

    def check(self, path: str) -> None:
        """Check that a file is Parquet, by its footer."""
        _opened(path)

    def parts(self, path: str) -> list[ParquetPart]:
        """Return the file as one part; its size is that of the selected columns."""
        file = _opened(path)
        schema = file.schema_arrow
        check_columns(schema, self._selection, where=path)
        names, keys = self._names(), [key.name for key in self._selection.keys]
        return [
            ParquetPart(
                path=path,
                ignored=tuple(name for name in schema.names if name not in names),
                rows=file.metadata.num_rows,
                text_bytes=_size(file.metadata, names),
                key_types=pa.schema([pa.field(key, schema.field(key).type) for key in keys]),
            )
        ]

    def key_types(self, part: ParquetPart) -> pa.Schema:
        """Return the types of the keys, which are the file's."""
        return part.key_types

    def read(self, part: ParquetPart) -> Iterator[Block]:
        """Yield a file's rows, `BATCH_ROWS` at a time."""
        file, first = _opened(part.path), 1
        check_columns(file.schema_arrow, self._selection, where=part.path)  # may have changed
        try:
            for batch in file.iter_batches(BATCH_ROWS, columns=self._names(), use_threads=False):
                yield self._block(batch, part, first)
                first += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise unreadable(part.path, error) from error

    def _names(self) -> list[str]:
        columns = (*self._selection.columns, *self._selection.keys)
        return list(dict.fromkeys(c.name for c in columns))

    def _block(self, batch: pa.RecordBatch, part: ParquetPart, first: int) -> Block:
        """Convert rows to the selected types; `first` is the number of the first row."""
        columns = self._selection.columns
        cells = [self._cells(column(batch, c.name), c) for c in columns]
        keys = [column(batch, key.name) for key in self._selection.keys]
        reasons, culprits = first_reasons(cells, columns, self._selection.needs)
        rows = pa.RecordBatch.from_arrays(
            [*(c.values for c in cells), *keys],
            schema=pa.schema([*arrow_schema(columns), *part.key_types]),
        )
        places = np.arange(first, first + batch.num_rows)
        if not reasons.any():
            return Block(batch.num_rows, rows, places, ())
        names = [columns[culprit].name for culprit in culprits[reasons > 0]]
        rejects = _rejects(batch, np.flatnonzero(reasons), reasons, names, part.path, first)
        good = reasons == 0
        return Block(batch.num_rows, rows.filter(pa.array(good)), places[good], rejects)

    def _cells(self, array: pa.Array, wanted: Column) -> Cells:
        read = lists.of_arrow if wanted.is_list else of_arrow
        cells = read(array, wanted, self._cleaned)
        assert cells is not None  # the file's types were checked by its footer
        return cells

    def _cleaned(self, texts: pa.Array) -> pa.Array:
        return with_nulls(trimmed(texts) if self._options.trim else texts, self._options.nulls)


def _opened(path: str) -> ParquetFile:
    try:
        return open_parquet(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def _size(footer: Any, names: Sequence[str]) -> float:
    """Return the approximate uncompressed size of some columns in bytes."""
    chunks = [
        footer.row_group(group).column(position)
        for group in range(footer.num_row_groups)
        for position in range(footer.num_columns)
    ]
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


def _rejects(
    batch: pa.RecordBatch,
    rows: np.ndarray,
    reasons: np.ndarray,
    names: Sequence[str],
    path: str,
    first: int,
) -> tuple[Reject, ...]:
    """Return rejected rows; `names` has the column that is wrong in each."""
    records = _plain(batch.take(pa.array(rows)))
    return tuple(
        Reject(
            path,
            first + int(row),
            name,
            None if record[name] in (None, "") else str(record[name]),
            RejectReason(int(reasons[row])),
            repr(record).encode(),
        )
        for row, name, record in zip(rows, names, records, strict=True)
    )


def _plain(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as Python values; timestamps as text, and text that is not UTF-8 as bytes."""
    batch = _converted(batch, _without_zone)
    try:
        return batch.to_pylist()
    except UnicodeDecodeError:
        return _converted(batch, _as_bytes).to_pylist()


def _converted(batch: pa.RecordBatch, convert: Callable[[pa.Array], pa.Array]) -> pa.RecordBatch:
    arrays = [convert(array) for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _without_zone(array: pa.Array) -> pa.Array:
    """Return timestamps as text in UTC: Python has no nanoseconds, and not every zone."""
    if not pa.types.is_timestamp(array.type):
        return array
    return array.cast(pa.timestamp(array.type.unit)).cast(pa.string())


def _as_bytes(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    is_text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    return array.cast(pa.binary()) if is_text else array


def draft(path: str) -> Parquet:
    """Return the options that a file needs."""
    return Parquet(path=path)


def sample(options: Parquet, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return rows of a file, from row groups all over it, and whether these are all."""
    file = _opened(path)
    groups = file.metadata.num_row_groups
    step = max(1, -(-file.metadata.num_rows // max(rows, 1)))
    chosen = list(range(0, groups, min(step, max(groups, 1))))
    try:
        table = file.read_row_groups(chosen, use_threads=False) if groups else file.read()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    names = [n for n in table.column_names if n and table.column_names.count(n) == 1]
    return table.select(names).slice(0, rows), table.num_rows == file.metadata.num_rows <= rows
