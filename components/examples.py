"""Examples on disk: Parquet shards by split; the only reader and writer.

A folder of examples is `Split-train/ Split-eval/ Split-test/`, each with Parquet shards of
nullable columns (int64, float32, string, or lists of these). Null is the only missing value on
disk. A row group is a batch: `Examples.batch_rows` rows, the unit of work of every stage.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components import files, list_arrays
from components.arrow_files import open_parquet
from components.raw_values import requested
from schemas.columns import Column
from schemas.errors import DataError
from schemas.types import TYPES

ARROW_TYPES = {name: pa.type_for_alias(each.arrow) for name, each in TYPES.items()}


@dataclass(frozen=True)
class RowGroup:
    """A batch of rows on disk: row group `index` of the Parquet file `path`."""

    path: str
    index: int
    rows: int


def declare_format(examples: Any) -> None:
    """Record the format of the files in a TFX artifact.

    This does what `tfx.components.util.examples_utils` does, whose import takes seconds.
    """
    examples.set_string_custom_property("payload_format", "FORMAT_PARQUET")


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of examples with these columns: nullable, lists without null."""
    return pa.schema([pa.field(c.name, arrow_type(c)) for c in columns])


def arrow_type(raw: Column) -> pa.DataType:
    """Return the Arrow type of a column of examples."""
    return pa.list_(ARROW_TYPES[raw.kind]) if raw.is_list else ARROW_TYPES[raw.kind]


def split_folder(root: str, split: str) -> str:
    """Return the folder of a split's shards, with the name that TFX's own components expect."""
    return os.path.join(root, f"Split-{split}")


def shards(root: str, split: str) -> list[str]:
    """Return the paths of a split's shards, sorted.

    Raises:
      DataError: the split has no folder.
    """
    folder = split_folder(root, split)
    names = files.names(folder)
    if not names and not os.path.isdir(folder):
        raise DataError(f"there is no split {split!r}", where=folder)
    return [os.path.join(folder, name) for name in names if name.endswith(".parquet")]


def row_groups(root: str, split: str) -> list[RowGroup]:
    """Return a split's batches in order; reads only the shards' footers."""
    groups = []
    for path in shards(root, split):
        footer = open_parquet(path).metadata
        groups += [
            RowGroup(path, i, footer.row_group(i).num_rows) for i in range(footer.num_row_groups)
        ]
    return groups


def count_rows(root: str, split: str) -> int:
    """Return the number of rows in a split; reads only the shards' footers."""
    return sum(group.rows for group in row_groups(root, split))


def read_row_group(group: RowGroup, columns: Sequence[str] | None = None) -> pa.RecordBatch:
    """Read one batch; `columns` None reads all, in the file's order."""
    table = open_parquet(group.path).read_row_group(
        group.index, columns=None if columns is None else list(columns), use_threads=False
    )
    arrays = [
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
        for column in table.columns
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=table.schema.remove_metadata())
    return batch if columns is None else select(batch, columns)


def iter_batches(
    root: str, split: str, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield a split's batches in order, one in memory at a time."""
    for group in row_groups(root, split):
        yield read_row_group(group, columns)


def column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return one column by name."""
    return batch.column(batch.schema.get_field_index(name))


def select(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Return the batch with these columns in this order, without copying."""
    return pa.RecordBatch.from_arrays([column(batch, n) for n in columns], list(columns))


def sweep(root: str, splits: Iterable[str]) -> None:
    """Remove files that dead workers left incomplete; call this when all workers are done."""
    for split in splits:
        files.sweep(split_folder(root, split))


class ShardWriter:
    """Writes one Parquet shard, which gets its name only when it is complete.

    A context manager: on success the file appears, on failure nothing remains. A shard without rows
    is written, too, so that an empty split still exists.
    """

    def __init__(self, path: str, schema: pa.Schema, *, batch_rows: int) -> None:
        self._batch_rows = batch_rows
        self._stack = contextlib.ExitStack()
        partial = self._stack.enter_context(files.whole(path))
        self._writer = pq.ParquetWriter(
            partial,
            schema,
            compression="zstd",
            use_compliant_nested_type=False,  # lists are read with the type that they have here
        )
        self._stack.callback(self._writer.close)
        self._schema = schema
        self.rows = 0

    def write(self, table: pa.Table | pa.RecordBatch) -> None:
        """Append rows, in row groups of at most `batch_rows`."""
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table], self._schema)
        self._writer.write_table(table, row_group_size=self._batch_rows)
        self.rows += table.num_rows

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)


def as_lists(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch in the form of TFDV and TFT: a list column a feature, null if missing.

    Columns of lists stay as they are, text as bytes.

    >>> as_lists(pa.record_batch([pa.array([1, None])], ["x"])).column(0).to_pylist()
    [[1], None]
    """
    return pa.RecordBatch.from_arrays([_as_list(c) for c in batch.columns], batch.schema.names)


def _as_list(array: pa.Array) -> pa.Array:
    if list_arrays.is_list(array.type):
        return list_arrays.as_bytes(array)
    if pa.types.is_string(array.type):
        array = array.cast(pa.binary())
    if not array.null_count:
        offsets = pa.array(np.arange(len(array) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, array)
    valid = np.asarray(array.is_valid())
    ends = np.concatenate([[0], np.cumsum(valid)]).astype(np.int32)
    # a null offset gives a null list; the last offset ends the values
    missing = np.append(~valid, False)
    return pa.ListArray.from_arrays(pa.array(ends, mask=missing), array.drop_null())


def as_dense_lists(batch: pa.RecordBatch, columns: Iterable[Column]) -> pa.RecordBatch:
    """Return columns as TFT's tensors: lists of one value for each row, text as bytes.

    A missing value is the stand-in in `schemas.types`, and a missing list a list of that one value.

    >>> batch = pa.record_batch([pa.array(["a", None])], ["x"])
    >>> as_dense_lists(batch, [Column("x", "BYTES", serving=True)]).column(0).to_pylist()
    [[b'a'], [b'']]
    """
    columns = list(columns)
    filled = pa.RecordBatch.from_arrays(
        [as_dense(column(batch, c.name), c) for c in columns], [c.name for c in columns]
    )
    return as_lists(filled)


def as_dense(array: pa.Array, raw: Column) -> pa.Array:
    """Return a column with its type's stand-in for each missing value; text as bytes."""
    if raw.is_list:
        return list_arrays.without_missing(array, raw)
    if pa.types.is_string(array.type):
        array = array.cast(pa.binary())
    if not array.null_count:
        return array
    return array.fill_null(pa.scalar(raw.type.missing, array.type))


def as_raw_columns(batch: pa.RecordBatch, columns: Iterable[Column]) -> dict[str, np.ndarray]:
    """Return the columns as inputs of the `raw_columns` signature, shape [rows] each.

    Integers become float64 with NaN for missing, floats float32 with NaN, text object arrays of
    bytes with b"" for missing. Lists have the shape [rows, width]: see `list_arrays.as_matrix`.
    """
    return {c.name: as_raw(requested(column(batch, c.name), c), c) for c in columns}


def as_raw(array: pa.Array, raw: Column) -> np.ndarray:
    """Return a request's column, null where missing, as an input of the `raw_columns` signature."""
    if raw.is_list:
        return list_arrays.as_matrix(array, raw)
    if raw.type.is_requested_as_text:
        return np.asarray(array.cast(pa.binary()).fill_null(b""), dtype=object)
    return array.to_numpy(zero_copy_only=False).astype(raw.type.request, copy=False)


def objects(values: Sequence[Any]) -> np.ndarray:
    """Return values as an array of objects; numpy would make `bytes` of texts, and drop NULs."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
