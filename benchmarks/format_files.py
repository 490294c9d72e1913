"""Writes the taxi trips of a CSV file in every format that both systems are measured on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.rows import taxi_csv
from components.examples import ARROW_TYPES
from schemas.catalog import load
from schemas.types import FLOAT

_BATCH_ROWS = 50_000


def write(name: str, rows: int, folder: Path) -> Path:
    """Write a file of that many trips in a format, and return its path.

    Args:
      name: the format, as `source.format` names it.
      rows: how many trips.
      folder: an existing folder, in which the file is the only one.
    """
    path = folder / f"trips.{name}"
    if name == "csv":
        os.link(taxi_csv(rows), path)
    else:
        _WRITERS[name](path, _batches(rows))
    return path


def _batches(rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the trips with the types of schema.pbtxt, FLOAT as doubles."""
    import pyarrow.csv as pv

    types = {**ARROW_TYPES, FLOAT.name: pa.float64()}
    convert = pv.ConvertOptions(
        column_types={column.name: types[column.kind] for column in load("taxi").columns},
        null_values=[""],
        strings_can_be_null=True,
    )
    table = pv.read_csv(taxi_csv(rows), convert_options=convert)
    yield from table.to_batches(max_chunksize=_BATCH_ROWS)


def _parquet(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    import pyarrow.parquet as pq

    first = next(batches)
    with pq.ParquetWriter(path, first.schema) as writer:
        for batch in (first, *batches):
            writer.write_table(pa.Table.from_batches([batch]))


def _json_lines(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for batch in batches:
            for row in batch.to_pylist():
                known = {name: value for name, value in row.items() if value is not None}
                file.write(f"{json.dumps(known)}\n")


def _avro(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    import fastavro

    first = next(batches)
    names = {pa.int64(): "long", pa.float64(): "double", pa.string(): "string"}
    fields = [{"name": f.name, "type": ["null", names[f.type]]} for f in first.schema]
    schema = {"type": "record", "name": "Trip", "fields": fields}
    records = (row for batch in (first, *batches) for row in batch.to_pylist())
    with open(path, "wb") as file:
        fastavro.writer(file, schema, records)


def _tfrecord(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for batch in batches:
            for row in batch.to_pylist():
                writer.write(_example(row).SerializeToString())


def _example(row: dict[str, Any]) -> Any:
    import tensorflow as tf

    example = tf.train.Example()
    for name, value in row.items():
        feature = example.features.feature[name]
        if isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        elif value is not None:
            feature.int64_list.value.append(value)
    return example


_WRITERS: dict[str, Callable[[Path, Iterator[pa.RecordBatch]], None]] = {
    "parquet": _parquet,
    "jsonl": _json_lines,
    "avro": _avro,
    "tfrecord": _tfrecord,
}
FORMATS = ("csv", *_WRITERS)
