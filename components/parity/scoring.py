"""Batch and streaming scoring, asked like everything else: arrays → files or messages → arrays.

Runs in a process of its own, by the same transforms as `skewless predict` and `skewless stream`.
Promised: each row is told to be scored, refused or lost; nothing that comes back twice, or out of
place, is taken for an answer.
"""

from __future__ import annotations

import functools
import glob
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from components.parity.questions import FATE, LOST, REFUSED, SCORED
from components.parity.rest import json_values, missing
from components.score.batch import predict
from components.score.columns import Asked, ask
from components.score.message_sinks import WriteMessageFiles
from components.score.messages import REASON
from components.score.model_handler import SavedModelHandler, Scorer
from components.score.output import Output
from components.score.stream import ScoreMessages

_KEY = "row of the proof"  # a name that no column has
_GROUP_ROWS = 2_048
_BUNDLE = 1_000  # messages that come together
# Beam's runner that knows TestStream and timers, the one that reads Pub/Sub in this process too.
_STREAM_RUNNER = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"


class BatchEngine:
    """Scores a Parquet file as `skewless predict` does."""

    def __init__(self, saved_model: str) -> None:
        self._saved_model = saved_model

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of all rows, and what became of each."""
        asked = ask(self._saved_model, signature)
        rows = len(next(iter(feeds.values())))
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "rows.parquet")
            pq.write_table(as_table(feeds), source, row_group_size=_GROUP_ROWS)
            output = Output.of(os.path.join(folder, "scores.parquet"), None, overwrite=False)
            done = predict(model=self._saved_model, paths=[source], output=output, keys=[_KEY])
            scores = pq.read_table(output.path).to_pydict()
            refused = [
                line - 1
                for path in done.rejects
                for line in pq.read_table(path).column("line").to_pylist()
            ]
        numbers = scores.pop(_KEY)
        return put_back(rows, asked, numbers, scores, refused)


@functools.cache
def _load(saved_model: str, signature: str) -> Scorer:
    return Scorer(saved_model, signature)


class _KeepingHandler(SavedModelHandler):
    """Keeps the model in memory: the runner makes its workers anew for each bundle."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.saved_model, signature=asked.signature)
        self._asked = asked

    def load_model(self) -> Scorer:
        """Load the SavedModel, the first time."""
        return _load(self._asked.saved_model, self._asked.signature)


class StreamEngine:
    """Scores messages of JSON as `skewless stream` does, on a runner that streams."""

    def __init__(self, saved_model: str) -> None:
        self._saved_model = saved_model

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of all rows, and what became of each."""
        asked = ask(self._saved_model, signature)
        rows = len(next(iter(feeds.values())))
        with tempfile.TemporaryDirectory() as folder:
            self._score(asked, list(as_messages(feeds)), folder)
            lines = [json.loads(line) for line in _lines(folder)]
        answers = [line for line in lines if REASON not in line["attributes"]]
        scores = {name: [line["data"][name] for line in answers] for name in asked.outputs}
        refused = [_number(line) for line in lines if REASON in line["attributes"]]
        return put_back(rows, asked, [_number(line) for line in answers], scores, refused)

    def _score(self, asked: Asked, messages: list[PubsubMessage], folder: str) -> None:
        options = PipelineOptions([f"--runner={_STREAM_RUNNER}", "--streaming"])
        with beam.Pipeline(options=options) as pipeline:
            scored = (
                pipeline
                | "Messages" >> _stream_of(messages)
                | "Score" >> ScoreMessages(_KeepingHandler(asked), asked.inputs)
            )
            _ = scored.answers | "Answers" >> WriteMessageFiles(os.path.join(folder, "answers"))
            _ = scored.dead_letters | "Dead" >> WriteMessageFiles(os.path.join(folder, "dead"))


def as_table(feeds: Mapping[str, np.ndarray]) -> pa.Table:
    """Return raw columns as a table, each row with its number.

    What is missing is null in every other row, and NaN or "" in those between, where the type has
    such a value: a file may say it both ways.
    """
    columns = {}
    for name, array in feeds.items():
        gone = missing(array)
        if array.dtype == np.float64:  # integers, as a request carries them
            whole = np.where(gone, 0, array).astype(np.int64)
            columns[name] = pa.array(whole, pa.int64(), mask=gone)
        else:
            gone = gone & (np.arange(len(array)) % 2 == 0)
            columns[name] = pa.array(
                array, None if array.dtype != object else pa.binary(), mask=gone
            )
    numbers = np.arange(len(next(iter(feeds.values()))))
    return pa.table({**columns, _KEY: numbers})


def as_messages(feeds: Mapping[str, np.ndarray]) -> Iterator[PubsubMessage]:
    """Yield raw columns as messages of JSON, each with its row's number as an attribute.

    What is missing is left out of every other row, and null or "" in those between. What JSON has
    no word for is written as far as it goes: infinity as Python does, bytes as they are.
    """
    columns = {name: (json_values(array), missing(array)) for name, array in feeds.items()}
    rows = len(next(iter(feeds.values())))
    for row in range(rows):
        document = {}
        for name, (values, gone) in columns.items():
            if not gone[row]:
                document[name] = _plain(values[row], feeds[name][row], feeds[name].dtype)
            elif row % 2:
                document[name] = "" if feeds[name].dtype == object else None
        yield PubsubMessage(_encoded(document), {_KEY: str(row)})


def _plain(value: Any, raw: Any, dtype: np.dtype) -> Any:
    if dtype.kind == "O" and not isinstance(value, str):
        return raw.decode(errors="surrogateescape")
    return int(value) if dtype == np.float64 else value


def _encoded(document: Mapping[str, Any]) -> bytes:
    try:
        if all(not isinstance(v, float) or np.isfinite(v) for v in document.values()):
            return orjson.dumps(document)
    except TypeError:  # a surrogate, which stands for a byte
        pass
    return json.dumps(document, ensure_ascii=False).encode(errors="surrogateescape")


def _stream_of(messages: list[PubsubMessage]) -> TestStream:
    """Return messages as they come over time: some at once, a second later the next."""
    stream = TestStream().advance_watermark_to(0)
    for second, start in enumerate(range(0, len(messages), _BUNDLE)):
        part = messages[start : start + _BUNDLE]
        stream = stream.add_elements([TimestampedValue(m, second + 0.5) for m in part])
        stream = stream.advance_watermark_to(second + 1)
    # batches wait for real time, which a TestStream begins in 1970
    stream = stream.advance_processing_time(int(10 * time.time()))
    return stream.advance_watermark_to_infinity()


def _lines(folder: str) -> Iterator[bytes]:
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.jsonl"))):
        with open(path, "rb") as file:
            yield from file


def _number(line: Mapping[str, Any]) -> int:
    return int(line["attributes"][_KEY])


def put_back(
    rows: int,
    asked: Asked,
    numbers: Iterable[int],
    scores: Mapping[str, list[Any]],
    refused: Iterable[int],
) -> dict[str, np.ndarray]:
    """Return outputs in the order of the rows asked, and what became of each row.

    Args:
      rows: how many were asked.
      asked: names and types of the outputs.
      numbers: which rows were scored.
      scores: their outputs.
      refused: which rows were rejected.
    """
    at = np.array(list(numbers), np.int64)
    fate = np.full(rows, LOST, object)
    fate[at] = SCORED
    fate[list(refused)] = REFUSED
    counts = np.bincount(np.concatenate([at, np.array(list(refused), np.int64)]), minlength=rows)
    fate[counts > 1] = b"told twice"
    outputs: dict[str, np.ndarray] = {FATE: fate}
    for name, kind in asked.outputs.items():
        if pa.types.is_string(kind):
            column = np.full(rows, b"", object)
            column[at] = [value.encode() for value in scores[name]]
        else:
            wide = pa.types.is_list(kind)
            values = np.array(scores[name], np.float64)  # None becomes NaN
            column = np.full((rows, *values.shape[1:]), np.nan)
            column[at] = values
            dtype = (kind.value_type if wide else kind).to_pandas_dtype()
            if np.dtype(dtype).kind == "f":
                column = column.astype(dtype)
        outputs[name] = column
    return outputs
