"""Request logs → Examples: what clients really asked, in the columns that a model was trained on.

Goes in: TFRecords of TensorFlow Serving's PredictionLog, of any signature. Comes out: one split
"requests" as every other stage reads it, null where a value is missing. A file whose end is cut
off, as a killed server leaves it, is read up to there and told of; any other damage is an error.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from components import files
from components.examples import ShardWriter, arrow_schema, split_folder
from schemas.columns import Column
from schemas.errors import ConfigError, SkewlessError

SPLIT = "requests"

_BATCH_ROWS = 65_536
_LOG_NAMES = (".tfrecord", ".tfrecord.partial")
_STRING = 7  # of types.proto
# Which field of a TensorProto holds its values, by type; other types are rare, and left to numpy.
_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", _STRING: "string_val", 9: "int64_val"}


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
      cut: files whose last record is not whole, each with the records before it.
      ignored: inputs of requests that are no column of the model, with their rows.
      passed_over: records that ask no signature of this model's columns.
    """

    files: int = 0
    records: int = 0
    rows: int = 0
    signatures: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    passed_over: int = 0


def find(paths: Sequence[str]) -> list[str]:
    """Return the log files that files and folders, also in stores, stand for; sorted in a folder.

    Raises:
      ConfigError: there is none.
    """
    found: list[str] = []
    for path in paths:
        if files.is_file(path):
            found.append(path)
        elif files.exists(path):
            names = (name for name in files.names(path) if name.endswith(_LOG_NAMES))
            found += [os.path.join(path, name) for name in names]
        else:
            raise ConfigError(f"there is no file or folder {path}")
    if not found:
        raise ConfigError(
            "there is no request log",
            where=", ".join(paths),
            expected=f"files whose names end in {' or '.join(_LOG_NAMES)}",
            remedy="serve with --request-log DIR, and ask something",
        )
    return found


def to_examples(paths: Sequence[str], columns: Sequence[Column], output: str) -> Read:
    """Write the requests of log files as Examples, split "requests".

    Args:
      paths: of the files.
      columns: those that the model takes.
      output: the folder of the Examples.

    Returns:
      What was read.

    Raises:
      LogError: a file is damaged, or is no request log; or none holds a row.
    """
    read = Read()
    schema = arrow_schema(columns)
    path = os.path.join(split_folder(output, SPLIT), f"{SPLIT}-00000-of-00001.parquet")
    with ShardWriter(path, schema, batch_rows=_BATCH_ROWS) as writer:
        table = _Table(columns, read)
        for name in paths:
            read.files += 1
            for record in _records(name, read):
                table.add(_parsed(record, name, read.records))
                read.records += 1
                if table.rows >= _BATCH_ROWS:
                    writer.write(table.take())
        writer.write(table.take())
    if not read.rows:
        raise LogError(
            f"no request in {read.files} file(s) and {read.records} record(s)",
            where=paths[0],
            expected="PredictionLogs of predict, classify or regress",
            remedy="wait until the server was asked something; it writes several times a second",
        )
    return read


class _Table:
    """Rows of requests, gathered until they are enough for a batch."""

    def __init__(self, columns: Sequence[Column], read: Read) -> None:
        self._columns = {column.name: column for column in columns}
        self._read = read
        self._values: dict[str, list[Any]] = {name: [] for name in self._columns}
        self.rows = 0

    def add(self, log: Any) -> None:
        """Add the rows of a PredictionLog."""
        kind = log.WhichOneof("log_type")
        before = self.rows
        if kind in ("predict_log", "predict_streamed_log"):
            spec = getattr(log, kind).request.model_spec
            self._add_inputs(getattr(log, kind).request.inputs)
        elif kind in ("classify_log", "regress_log", "multi_inference_log"):
            request = getattr(log, kind).request
            spec = (request.tasks[0] if kind == "multi_inference_log" else request).model_spec
            self._add_input(request.input)
        if self.rows == before:
            self._read.passed_over += 1
            return
        added, name = self.rows - before, spec.signature_name or "serving_default"
        self._read.rows += added
        self._read.signatures[name] = self._read.signatures.get(name, 0) + added

    def take(self) -> pa.RecordBatch:
        """Return the rows, and forget them."""
        batch = pa.RecordBatch.from_arrays(
            [_array(values, self._columns[name].kind) for name, values in self._values.items()],
            schema=arrow_schema(self._columns.values()),
        )
        self._values = {name: [] for name in self._columns}
        self.rows = 0
        return batch

    def _add_inputs(self, inputs: Mapping[str, Any]) -> None:
        if len(inputs) == 1 and not set(inputs) & self._columns.keys():
            (proto,) = inputs.values()
            if proto.dtype == _STRING:
                self._add_serialised(proto.string_val)
                return
        given = {name: _values(proto) for name, proto in inputs.items() if name in self._columns}
        rows = max(map(len, given.values()), default=0)
        for name, values in self._values.items():
            # A column of no values was left out: it is missing in every row.
            values += given.get(name) or [None] * rows
        self._ignore(set(inputs) - self._columns.keys(), rows)
        self.rows += rows

    def _add_input(self, given: Any) -> None:
        if given.WhichOneof("kind") == "example_list_with_context":
            listed = given.example_list_with_context
            context = listed.context.features.feature
            for example in listed.examples:
                self._add_features({**context, **example.features.feature})
        else:
            for example in given.example_list.examples:
                self._add_features(example.features.feature)

    def _add_serialised(self, examples: Sequence[bytes]) -> None:
        from tensorflow.core.example import example_pb2

        for each in examples:
            self._add_features(example_pb2.Example.FromString(each).features.feature)

    def _add_features(self, features: Mapping[str, Any]) -> None:
        for name, values in self._values.items():
            # To ask a protobuf map for a key that is not there would add it.
            values.append(_first(features[name]) if name in features else None)
        self._ignore(set(features) - self._columns.keys(), 1)
        self.rows += 1

    def _ignore(self, names: set[str], rows: int) -> None:
        for name in names:
            self._read.ignored[name] = self._read.ignored.get(name, 0) + rows


def _records(path: str, read: Read) -> Iterator[bytes]:
    """Yield a file's records; where the last one is not whole, note it and end."""
    import tensorflow as tf

    count = 0
    try:
        with _at_hand(path) as here:
            for record in tf.data.TFRecordDataset(here).as_numpy_iterator():
                yield record
                count += 1
    except tf.errors.DataLossError as error:
        if "truncated" not in error.message:
            raise LogError(
                f"record {count} is damaged",
                where=path,
                expected="TFRecords as the server wrote them",
                remedy="restore the file, or move it out of the folder",
            ) from None
        read.cut[path] = count


@contextlib.contextmanager
def _at_hand(path: str) -> Iterator[str]:
    """Yield a local path of a file: its own, or that of a copy that is then removed."""
    if not files.in_store(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="skewless-") as copy:
        with files.open_read(path) as file:
            shutil.copyfileobj(file, copy)
        copy.flush()
        yield copy.name


def _parsed(record: bytes, path: str, number: int) -> Any:
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        raise LogError(
            f"record {number} is no PredictionLog", where=path, expected="a request log"
        ) from None


def _values(proto: Any) -> list[Any]:
    """Return a TensorProto's values."""
    values = getattr(proto, _FIELDS.get(proto.dtype, ""), None)
    size = math.prod(dim.size for dim in proto.tensor_shape.dim)
    if values is not None and len(values) == size and not proto.tensor_content:
        return list(values)
    import tensorflow as tf

    listed: list[Any] = tf.make_ndarray(proto).reshape(-1).tolist()
    return listed


def _first(feature: Any) -> Any:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    return values[0] if values else None


def _array(values: list[Any], kind: str) -> pa.Array:
    """Return values as examples hold them: NaN and "" are missing, as the model takes them."""
    if kind == "BYTES":
        texts = [_text(value) if value else None for value in values]
        return pa.array(texts, pa.string())
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    missing = np.isnan(numbers)
    if kind == "FLOAT":
        return pa.array(numbers.astype(np.float32), mask=missing)
    # Through float64, as the raw signature takes integers: exact up to 2**53.
    return pa.array(np.where(missing, 0, numbers).astype(np.int64), mask=missing)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
