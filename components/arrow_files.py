"""The only module that opens Parquet, Arrow and ORC files for reading.

Opening a file never runs code from the file. pyarrow before 14.0.1 unpickles extension types that a
file contains (CVE-2023-47248). Importing this module turns that off, and nothing else in this
project opens such files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from components import files
from components.compat import refuse_pickled_arrow_types
from schemas.errors import DataError

_PICKLED = "arrow.py_extension_type"  # the name under which pyarrow stores a pickled Python type

refuse_pickled_arrow_types()


def open_parquet(path: str) -> pq.ParquetFile:
    """Open a Parquet file; only its footer is read.

    Args:
      path: a file on a disk or in a store.

    Raises:
      DataError: the file has a column of a pickled Python type.
      OSError, pa.ArrowException: the file is missing, unreadable or damaged.
      StoreError: the store does not answer, or refuses.
    """
    with _refused(path):
        file = pq.ParquetFile(files.arrow_source(path))
        _check(file.schema_arrow, path)
    return file


def read_parquet(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a Parquet file; all columns, or these. Errors as those of `open_parquet`.

    pyarrow 18 cannot read a file without row groups, which one without rows is.
    """
    file = open_parquet(path)
    if not file.num_row_groups:
        empty = file.schema_arrow.empty_table()
        return empty if columns is None else empty.select(list(columns))
    return file.read(columns=columns)


def parse_parquet(content: bytes, where: str) -> pa.Table:
    """Return the rows of a Parquet file that is in memory; errors as those of `open_parquet`."""
    with _refused(where):
        file = pq.ParquetFile(pa.BufferReader(content))
        _check(file.schema_arrow, where)
        return file.read()


def open_arrow(file: Any, path: str, only: Sequence[int] = ()) -> pa.ipc.RecordBatchFileReader:
    """Open an Arrow file.

    Args:
      file: the file, open for reading bytes, or its path on a disk.
      path: its name for messages.
      only: positions of the columns that batches have; empty for all.

    Raises:
      DataError: the file has a column of a pickled Python type.
      OSError, pa.ArrowException: the file is damaged.
    """
    with _refused(path):
        reader = pa.ipc.open_file(file, options=_only(only))
        _check(reader.schema, path)
    return reader


def open_arrow_stream(
    file: Any, path: str, only: Sequence[int] = ()
) -> pa.ipc.RecordBatchStreamReader:
    """Open a file in Arrow's stream format; arguments and errors as those of `open_arrow`."""
    with _refused(path):
        reader = pa.ipc.open_stream(file, options=_only(only))
        _check(reader.schema, path)
    return reader


def read_schema_message(message: bytes, path: str) -> pa.Schema:
    """Return the schema in a message of Arrow's stream format; errors as those of `open_arrow`."""
    with _refused(path):
        schema = pa.ipc.read_schema(pa.py_buffer(message))
        _check(schema, path)
    return schema


def read_batch_message(message: bytes, schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows in a message of Arrow's stream format, whose schema was checked."""
    return pa.ipc.read_record_batch(pa.py_buffer(message), schema)


def open_orc(path: str) -> Any:
    """Open an ORC file as pyarrow's ORCFile; arguments and errors as those of `open_parquet`."""
    with _refused(path):
        file = orc.ORCFile(files.arrow_source(path))
        _check(file.schema, path)
    return file


def write_orc(table: pa.Table, path: str) -> None:
    """Write a table as an ORC file."""
    orc.write_table(table, path)


def _only(columns: Sequence[int]) -> pa.ipc.IpcReadOptions:
    return pa.ipc.IpcReadOptions(included_fields=list(columns))


@contextlib.contextmanager
def _refused(path: str) -> Iterator[None]:
    """Turn pyarrow_hotfix's RuntimeError, which has a disassembly, into a DataError."""
    try:
        yield
    except RuntimeError as error:
        if _PICKLED not in str(error):
            raise
        raise _refusal(path) from error


def _check(schema: pa.Schema, path: str) -> None:
    """Check that no column has a pickled type, which newer pyarrow accepts without unpickling."""
    if any(_is_pickled(kind) for field in schema for kind in _types(field.type)):
        raise _refusal(path)


def _is_pickled(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == _PICKLED


def _types(kind: pa.DataType) -> Iterator[pa.DataType]:
    """Yield a type and all types in it."""
    yield kind
    if isinstance(kind, pa.BaseExtensionType):
        return
    for position in range(kind.num_fields):
        yield from _types(kind.field(position).type)


def _refusal(path: str) -> DataError:
    return DataError(
        "the file has a column of a pickled Python type, which can run any code when it is opened",
        where=path,
        expected="columns of Arrow's own types",
        remedy="do not open the file elsewhere unless you trust its author; have it written again"
        " with plain types",
    )
