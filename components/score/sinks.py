"""Writes scored batches to a file of Parquet, CSV or JSON lines, column by column.

Numbers have the shortest digits that parse to the same float32. Null is null in Parquet and JSON,
and empty without quotes in CSV. A file gets its name only once it is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from components import files
from components.arrow_files import open_parquet
from components.score.formats import Format


class Sink(Protocol):
    """An open output file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""

    def close(self) -> None:
        """Complete the file."""


def open_sink(path: str, kind: Format, schema: pa.Schema) -> Sink:
    """Open a file for rows of a schema with texts, numbers and lists of numbers."""
    return _Whole(path, kind, schema)


class _Whole:
    """A sink whose file gets its name on closing."""

    def __init__(self, path: str, kind: Format, schema: pa.Schema) -> None:
        self._whole = files.whole(path)
        self._sink = _SINKS[kind](self._whole.__enter__(), schema)
        self.write = self._sink.write

    def close(self) -> None:
        self._sink.close()
        self._whole.__exit__(None, None, None)


class _Parquet:
    def __init__(self, path: str, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_table(pa.Table.from_batches([batch]))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, path: str, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = open(path, "wb")  # noqa: SIM115 - closed by close()
        self._writer: pv.CSVWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        flat = flattened(batch)
        if self._writer is None:
            self._writer = pv.CSVWriter(self._file, flat.schema)
        self._writer.write_batch(flat)

    def close(self) -> None:
        if self._writer is None:  # no rows, so the length of lists is unknown
            names = [f.name for f in self._schema if not pa.types.is_list(f.type)]
            self._file.write(f"{','.join(map(_quoted, names))}\n".encode())
        else:
            self._writer.close()
        self._file.close()


class _JsonLines:
    def __init__(self, path: str, schema: pa.Schema) -> None:
        del schema  # every line has the names
        self._file = open(path, "wb")  # noqa: SIM115 - closed by close()

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            # a single join over all lines, rather than a Python object for each
            lines = pa.ListArray.from_arrays(
                pa.array([0, batch.num_rows], pa.int32()), json_lines(batch)
            )
            self._file.write(pc.binary_join(lines, "\n")[0].as_buffer())
            self._file.write(b"\n")

    def close(self) -> None:
        self._file.close()


def can_hold(kind: Format, arrow: pa.DataType) -> bool:
    """Return whether a column of an Arrow type can be written in a format.

    >>> can_hold("csv", pa.date32()), can_hold("csv", pa.list_(pa.int64()))
    (True, False)
    """
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if isinstance(arrow, pa.BaseExtensionType) or pa.types.is_float16(arrow):
        return False
    if kind == "parquet":
        return True
    if kind == "jsonl" and pa.types.is_list(arrow):
        return can_hold(kind, arrow.value_type)
    # neither bytes, which may not be text, nor types that Arrow cannot cast to text
    return not any(holds(arrow) for holds in _NO_TEXT)


_NO_TEXT = (
    pa.types.is_nested,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_decimal,
    pa.types.is_duration,
    pa.types.is_interval,
)
_SINKS: dict[Format, Callable[[str, pa.Schema], Sink]] = {
    "parquet": _Parquet,
    "csv": _Csv,
    "jsonl": _JsonLines,
}


def flattened(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with a column for each list position; lists must have equal lengths.

    >>> lists = pa.array([[0.5, 1.5], [2.5, 3.5]])
    >>> flattened(pa.record_batch([lists], ["p"])).to_pydict()
    {'p_0': [0.5, 2.5], 'p_1': [1.5, 3.5]}
    """
    columns: dict[str, pa.Array] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if not pa.types.is_list(array.type):
            columns[name] = array
            continue
        width = len(array[0]) if len(array) else 0
        columns |= {f"{name}_{place}": pc.list_element(array, place) for place in range(width)}
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def json_lines(batch: pa.RecordBatch) -> pa.Array:
    """Return each row as the text of a JSON object, shape [rows]; infinities and NaN are null.

    >>> batch = pa.record_batch([pa.array(["a", None]), pa.array([1, 2])], ["k", "n"])
    >>> json_lines(batch).to_pylist()
    ['{"k":"a","n":1}', '{"k":null,"n":2}']
    """
    parts: list[pa.Array | str] = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        opening = "," if parts else "{"
        parts += [f"{opening}{orjson.dumps(name).decode()}:", _json(array)]
    return pc.binary_join_element_wise(*parts, "}", "")


def _json(array: pa.Array) -> pa.Array:
    """Return each value as JSON text."""
    if pa.types.is_struct(array.type):
        names = [array.type.field(place).name for place in range(array.type.num_fields)]
        return json_lines(pa.RecordBatch.from_arrays(array.flatten(), names))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_list(array.type):
        start = array.offsets[0].as_py()
        end = array.offsets[-1].as_py()
        offsets = pc.subtract(array.offsets, start)
        texts = pa.ListArray.from_arrays(offsets, _json(array.values.slice(start, end - start)))
        text = pc.binary_join_element_wise("[", pc.binary_join(texts, ","), "]", "")
        return _or_null(text, array)
    if pa.types.is_floating(array.type):
        finite = pc.if_else(pc.is_finite(array), array, pa.scalar(None, array.type))
        return _or_null(finite.cast(pa.string()), finite)
    if pa.types.is_integer(array.type) or pa.types.is_boolean(array.type):
        return _or_null(array.cast(pa.string()), array)
    return _or_null(_json_texts(array.cast(pa.string())), array)


def _json_texts(array: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(array, r'["\\\x00-\x1f]')).as_py():
        return pa.array(
            [None if v is None else orjson.dumps(v).decode() for v in array.to_pylist()],
            pa.string(),
        )
    return pc.binary_join_element_wise('"', array, '"', "")


def _or_null(text: pa.Array, array: pa.Array) -> pa.Array:
    return pc.if_else(array.is_valid(), text, "null") if array.null_count else text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def join_files(paths: Sequence[str], output: str, kind: Format) -> None:
    """Concatenate several files of the same kind in order, and remove them."""
    if len(paths) == 1:
        files.move(paths[0], output)
        return
    with files.whole(output) as partial:
        join = _join_parquet if kind == "parquet" else _join_text
        join(paths, partial, kind)
    for path in paths:
        files.remove(path)


def _join_text(paths: Sequence[str], output: str, kind: Format) -> None:
    with open(output, "wb") as joined:
        for number, path in enumerate(paths):
            with files.open_read(path) as part:
                if kind == "csv" and number:
                    part.readline()  # the header; names have no line ends
                shutil.copyfileobj(part, joined, 1 << 20)


def _join_parquet(paths: Sequence[str], output: str, _: Format) -> None:
    schema = open_parquet(paths[0]).schema_arrow
    with pq.ParquetWriter(output, schema, compression="zstd") as writer:
        for path in paths:
            file = open_parquet(path)
            for group in range(file.num_row_groups):
                writer.write_table(file.read_row_group(group))
