"""Request logs → Examples: what clients really asked, in the columns that a model was trained on.

TFRecords of TensorFlow Serving's PredictionLog, with any signature, gzipped or not, become one
split "requests" in the format of every other stage, with null for missing values. Unreadable parts
(a damaged record, a truncated file, bytes that are not an Example) are left out and counted, and
the rest is read: one request must not make all others unreadable.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_serving.apis import prediction_log_pb2

from components import files, tfrecords
from components.examples import ARROW_TYPES, ShardWriter, arrow_schema, split_folder
from components.sources import lists
from components.sources.typed import of_arrow
from components.tfrecords import Damage, parsed
from components.validate.logged_rows import UnreadableError, rows_of
from schemas.columns import Column
from schemas.errors import SkewlessError
from schemas.types import ColumnType

SPLIT = "requests"

_BATCH_ROWS = 65_536


class LogError(SkewlessError):
    """A request log cannot be read."""


@dataclass
class Read:
    """What was read.

    Attributes:
      files: how many.
      records: PredictionLogs in them.
      rows: of their requests.
      signatures: rows by signature.
      cut: files whose end is cut off, each with the records before it.
      damaged: files with damage before their end, each with the number of places.
      unreadable: records that are not a PredictionLog, or hold values that a column cannot have.
      unreadable_rows: rows of records that were read which are not a tf.Example, or the same.
      ignored: inputs of requests that are not columns of the model, with their rows.
      passed_over: records that ask no signature of this model's columns.
    """

    files: int = 0
    records: int = 0
    rows: int = 0
    signatures: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    unreadable_rows: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    passed_over: int = 0


def to_examples(paths: Sequence[str], columns: Sequence[Column], output: str) -> Read:
    """Write the requests of log files as Examples, split "requests".

    Args:
      paths: of the files.
      columns: those that the model takes.
      output: the folder of the Examples.

    Returns:
      What was read.

    Raises:
      LogError: no file holds a row.
    """
    read = Read()
    schema = arrow_schema(columns)
    path = os.path.join(split_folder(output, SPLIT), f"{SPLIT}-00000-of-00001.parquet")
    with ShardWriter(path, schema, batch_rows=_BATCH_ROWS) as writer:
        table = _Table(columns, read)
        for name in paths:
            read.files += 1
            for log in _logs(name, read):
                table.add(log)
                if table.rows >= _BATCH_ROWS:
                    writer.write(table.take())
        writer.write(table.take())
    if not read.rows:
        damage = unread(read)
        raise LogError(
            "; ".join([f"no request in {read.files} file(s), {read.records} record(s)", *damage]),
            where=paths[0],
            expected="PredictionLogs of predict, classify or regress",
            remedy="restore the files, or name those that are a request log"
            if damage
            else "wait until the server was asked something; it writes several times a second",
        )
    return read


def unread(read: Read) -> list[str]:
    """Return what could not be read, in sentences; nothing if all was."""
    lines = [
        f"{path} is damaged in {places:,} place(s); the records around were read"
        for path, places in read.damaged.items()
    ]
    lines += [
        f"{path} ends within a record; the {records:,} before it were read"
        for path, records in read.cut.items()
    ]
    if read.unreadable:
        lines.append(f"{read.unreadable:,} record(s) are not requests to this model, and left out")
    if read.unreadable_rows:
        lines.append(f"{read.unreadable_rows:,} row(s) cannot be read, and are left out")
    return lines


class _Table:
    """Rows of requests, gathered until they are enough for a batch."""

    def __init__(self, columns: Sequence[Column], read: Read) -> None:
        self._columns = {column.name: column for column in columns}
        self._read = read
        self._values: dict[str, list[Any]] = {name: [] for name in self._columns}
        self.rows = 0

    def add(self, log: Any) -> None:
        """Add the rows of a PredictionLog; count it as unreadable if it cannot be one of these."""
        try:
            rows = rows_of(log, self._columns)
        except UnreadableError:
            self._read.unreadable += 1
            return
        self._read.unreadable_rows += rows.unreadable
        if not rows.size:
            self._read.passed_over += not rows.unreadable
            return
        for name, values in rows.columns.items():
            self._values[name] += values
        self.rows += rows.size
        self._read.rows += rows.size
        _add(self._read.signatures, {rows.signature: rows.size})
        _add(self._read.ignored, rows.ignored)

    def take(self) -> pa.RecordBatch:
        """Return the rows, and forget them."""
        batch = pa.RecordBatch.from_arrays(
            [_array(values, self._columns[name]) for name, values in self._values.items()],
            schema=arrow_schema(self._columns.values()),
        )
        self._values = {name: [] for name in self._columns}
        self.rows = 0
        return batch


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def _logs(path: str, read: Read) -> Iterator[Any]:
    """Yield the PredictionLogs in a file, and note what of it cannot be read."""
    damage, count = Damage(), 0
    with files.open_read(path) as file:
        for record in tfrecords.records(file, damage):
            count += 1
            log = parsed(prediction_log_pb2.PredictionLog, record)
            if log is None:
                read.unreadable += 1
                continue
            read.records += 1
            yield log
    if damage.cut:
        read.cut[path] = count
    if damage.records or damage.gaps:
        read.damaged[path] = damage.records + damage.gaps


def _array(values: list[Any], column: Column) -> pa.Array:
    """Return values as examples hold them: NaN and "" are missing, as the model takes them."""
    if column.is_list:
        held = pa.string() if column.type.is_requested_as_text else ARROW_TYPES[column.kind]
        read = lists.of_arrow(pa.array(values, pa.list_(held)), column)
        assert read is not None  # the type fits
        return read.values
    array = _as_requested(values, column.type)
    if not column.type.is_read:
        return array
    cells = of_arrow(array, column)
    assert cells is not None  # _as_requested returns types that fit
    return cells.values


def _as_requested(values: list[Any], column_type: ColumnType) -> pa.Array:
    if column_type.is_requested_as_text:
        texts = [value.decode(errors="replace") if value else None for value in values]
        return pa.array(texts, pa.string())
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    missing = np.isnan(numbers)
    if not column_type.is_whole:
        return pa.array(numbers.astype(np.float32), mask=missing)
    # Through float64, as the raw signature takes integers: exact up to 2**53.
    return pa.array(np.where(missing, 0, numbers).astype(np.int64), mask=missing)
