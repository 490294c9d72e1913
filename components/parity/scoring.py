"""Batch and streaming scoring as serving paths: arrays → files or messages → arrays.

The jobs run in a process of their own, with the transforms of `skewless predict` and `skewless
stream`. Each row is reported as scored, refused or lost. A row that comes back twice, or out of
place, does not count as an answer.
"""

from __future__ import annotations

import glob
import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.transforms.window import TimestampedValue

from components import list_arrays, list_matrices
from components.arrow_files import read_parquet
from components.parity.json_forms import (
    as_whole,
    even_rows,
    json_rows,
    json_values,
    missing,
    without,
)
from components.parity.questions import FATE, LOST, REFUSED, SCORED
from components.score.batch import predict
from components.score.bounded import BoundedPipeline
from components.score.columns import RawSignature, read_signature
from components.score.message_sinks import WriteMessageFiles
from components.score.messages import REASON
from components.score.model_handler import SavedModelHandler
from components.score.output import ScoreOutput
from components.score.stream import ScoreMessages

_KEY = "row of the proof"  # a name that no column has
_GROUP_ROWS = 2_048
_BATCH = 8_000  # messages that arrive together, a second apart and so in many windows


@dataclass(frozen=True)
class _Scored:
    """A job's results: `scores` are the outputs of the rows `numbers`; it refused `refused`."""

    numbers: list[int]
    scores: Mapping[str, list[Any]]
    refused: list[int]


class _ScoringJob(ABC):
    """A job that scores rows from one place to another, both in a folder of its own."""

    def __init__(self, saved_model: str) -> None:
        self._saved_model = saved_model

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of all rows, and the fate of each."""
        raw = read_signature(self._saved_model, signature)
        with tempfile.TemporaryDirectory() as folder:
            scored = self._score(raw, feeds, folder)
        return put_back(_rows(feeds), raw, scored)

    @abstractmethod
    def _score(
        self, signature: RawSignature, feeds: Mapping[str, np.ndarray], folder: str
    ) -> _Scored:
        """Score the rows and read the results."""


class BatchJob(_ScoringJob):
    """Scores a Parquet file as `skewless predict` does."""

    def _score(
        self, signature: RawSignature, feeds: Mapping[str, np.ndarray], folder: str
    ) -> _Scored:
        path = os.path.join(folder, "rows.parquet")
        pq.write_table(as_table(feeds), path, row_group_size=_GROUP_ROWS)
        output = ScoreOutput.of(os.path.join(folder, "scores.parquet"), None, overwrite=False)
        done = predict(model=signature.saved_model, paths=[path], output=output, keys=[_KEY])
        scores = read_parquet(output.path).to_pydict()
        lines = [read_parquet(path, ["line"]).column("line").to_pylist() for path in done.rejects]
        refused = [line - 1 for of_file in lines for line in of_file]
        return _Scored(scores.pop(_KEY), scores, refused)


class StreamJob(_ScoringJob):
    """Scores messages of JSON as `skewless stream` does: those that arrive together, in one run."""

    def _score(
        self, signature: RawSignature, feeds: Mapping[str, np.ndarray], folder: str
    ) -> _Scored:
        handler = SavedModelHandler(signature.saved_model, signature=signature.signature)

        def steps(messages: beam.PCollection[PubsubMessage]) -> None:
            scored = messages | "Score" >> ScoreMessages(
                handler, signature.inputs, max_seconds=None
            )
            for name, answers in (("Answers", scored.answers), ("Dead", scored.dead_letters)):
                _ = answers | name >> WriteMessageFiles(os.path.join(folder, name))

        pipeline = BoundedPipeline(steps)
        for batch in _batches(feeds):
            pipeline.run(batch)
        lines = [orjson.loads(line) for line in _lines(folder)]
        answers = [line for line in lines if REASON not in line["attributes"]]
        return _Scored(
            numbers=[_number(line) for line in answers],
            scores={name: [line["data"][name] for line in answers] for name in signature.outputs},
            refused=[_number(line) for line in lines if REASON in line["attributes"]],
        )


def _rows(feeds: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(feeds.values())))


def as_table(feeds: Mapping[str, np.ndarray]) -> pa.Table:
    """Return raw columns as a table, each row with its number.

    Missing values are null in every other row, and NaN or "" in those between, if the type has such
    a value: a file may contain both.
    """
    columns = {}
    for name, array in feeds.items():
        gone = missing(array)
        if array.ndim == 2:
            columns[name] = _as_lists(array, gone)
        elif array.dtype == np.float64:  # integers, as a request contains them
            columns[name] = pa.array(as_whole(array), pa.int64(), mask=gone)
        else:
            gone &= even_rows(array)
            columns[name] = pa.array(
                array, None if array.dtype != object else pa.binary(), mask=gone
            )
    numbers = np.arange(_rows(feeds))
    return pa.table({**columns, _KEY: numbers})


def _as_lists(matrix: np.ndarray, gone: np.ndarray) -> pa.Array:
    known = list_matrices.known(matrix)
    values = as_whole(matrix[known])
    flat = pa.array(values, pa.binary() if values.dtype == object else None)
    return list_arrays.ListParts(flat, known.sum(axis=1), gone).to_array()


def as_messages(feeds: Mapping[str, np.ndarray]) -> list[bytes]:
    """Return raw columns as messages' data, a JSON object each.

    Missing values are left out of every other row, and null or "" in those between. Values that
    JSON does not have are written anyway: infinity as in Python, bytes as they are.
    """
    columns = {}
    for name, array in feeds.items():
        values, gone = json_values(as_whole(array), _text), missing(array)
        for row in np.flatnonzero(gone).tolist():
            values[row] = b'""' if array.dtype == object and array.ndim == 1 else b"null"
        columns[name] = without(values, gone & even_rows(array))
    return json_rows(columns)


def _text(value: bytes) -> bytes:
    try:
        return orjson.dumps(value.decode())
    except UnicodeDecodeError:
        text = value.decode(errors="surrogateescape")  # a surrogate stands for a byte
        return json.dumps(text, ensure_ascii=False).encode(errors="surrogateescape")


def _batches(feeds: Mapping[str, np.ndarray]) -> Iterator[list[TimestampedValue]]:
    """Yield messages that arrive together, each with its row's number as an attribute."""
    messages = [
        TimestampedValue(PubsubMessage(data, {_KEY: str(number)}), number)
        for number, data in enumerate(as_messages(feeds))
    ]
    for start in range(0, len(messages), _BATCH):
        yield messages[start : start + _BATCH]


def _lines(folder: str) -> Iterator[bytes]:
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.jsonl"))):
        with open(path, "rb") as file:
            yield from file


def _number(line: Mapping[str, Any]) -> int:
    return int(line["attributes"][_KEY])


def put_back(rows: int, signature: RawSignature, scored: _Scored) -> dict[str, np.ndarray]:
    """Return outputs in the order of the question's rows, and the fate of each row.

    Args:
      rows: the number of the question's rows.
      signature: names and types of the outputs.
      scored: the job's results.
    """
    at, refused = np.array(scored.numbers, np.int64), np.array(scored.refused, np.int64)
    fate = np.full(rows, LOST, object)
    fate[at] = SCORED
    fate[refused] = REFUSED
    counts = np.bincount(np.concatenate([at, refused]), minlength=rows)
    fate[counts > 1] = b"scored twice"
    outputs: dict[str, np.ndarray] = {FATE: fate}
    for name, kind in signature.outputs.items():
        if pa.types.is_string(kind):
            column = np.full(rows, b"", object)
            column[at] = [value.encode() for value in scored.scores[name]]
        else:
            wide = pa.types.is_list(kind)
            values = np.array(scored.scores[name], np.float64)  # None becomes NaN
            column = np.full((rows, *values.shape[1:]), np.nan)
            column[at] = values
            dtype = (kind.value_type if wide else kind).to_pandas_dtype()
            if np.dtype(dtype).kind == "f":
                column = column.astype(dtype)
        outputs[name] = column
    return outputs
