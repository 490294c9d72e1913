"""Converts JSON messages to columns, and scores to messages; unusable ones become dead letters.

A message is Beam's PubsubMessage: a JSON object of raw columns, attributes, an ordering key. Null
and omitted fields are missing values; other values are checked as strictly as in a CSV file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.ml.inference.base import PredictionResult
from apache_beam.utils.timestamp import Timestamp

from components.examples import arrow_type
from components.raw_values import requested
from components.score.by_class import known_classes, named
from components.score.sinks import json_lines
from components.sources import lists
from components.sources.cells import Cells, first_reasons
from components.sources.protocol import Needs
from components.sources.rejects import RejectReason
from components.sources.typed import of_json
from schemas.columns import Column

MODEL_VERSION = "model_version"  # attribute of an answer: the version that scored it
REASON, COLUMN, VALUE = "dead_letter_reason", "dead_letter_column", "dead_letter_value"
_MAX_VALUE = 200  # characters; Pub/Sub allows attributes of 1,024 bytes

Dated = tuple[PubsubMessage, Timestamp]  # a message and its event time


@dataclass(frozen=True)
class Letters:
    """Messages that are being scored.

    Attributes:
      dated: the messages, each with its event time.
      keys: the keys of each message's answer, as the beginning of a JSON object.
      scored: the model's result, once it is there.
    """

    dated: tuple[Dated, ...]
    keys: tuple[str, ...]
    scored: tuple[PredictionResult, ...] = ()


def read_letters(
    dated: Sequence[Dated], inputs: Sequence[Column], keys: Sequence[str]
) -> tuple[Letters, pa.RecordBatch, list[Dated]]:
    """Convert messages to a batch of the model's columns.

    Args:
      dated: messages with their event times.
      inputs: the model's columns; other fields of the messages are ignored.
      keys: fields of the messages to copy to the answers unchanged.

    Returns:
      The messages that can be scored, their columns, and the others as dead letters: the message
      unchanged, with attributes that give the reason.
    """
    documents: list[dict[str, Any]] = []
    good, dead = [], []
    for message, time in dated:
        document = _document(message.data)
        if isinstance(document, RejectReason):
            dead.append((_dead(message, document, None, None), time))
        else:
            good.append((message, time))
            documents.append(document)
    arrays, reasons, culprits = _columns(documents, inputs)
    for row in np.flatnonzero(reasons).tolist():
        column, (message, time) = inputs[culprits[row]].name, good[row]
        value = documents[row][column]
        dead.append((_dead(message, RejectReason(int(reasons[row])), column, value), time))
    fits = np.flatnonzero(reasons == 0).tolist()
    batch = pa.RecordBatch.from_arrays(arrays, [c.name for c in inputs]).take(
        pa.array(fits, pa.int64())
    )
    letters = Letters(
        dated=tuple(good[row] for row in fits),
        keys=tuple(_opening(documents[row], keys) for row in fits),
    )
    return letters, batch, dead


def answers(letters: Letters) -> list[Dated]:
    """Return an answer for each scored message, with its attributes, ordering key and time.

    Its data is a JSON object of the keys and the model's outputs, probabilities by class if the
    model's classes are known; the attribute `model_version` names the version.
    """
    (result,) = letters.scored
    version = result.model_id.rstrip("/").rpartition("/")[2]
    outputs = named(result.inference, known_classes(result.model_id), "jsonl")
    lines = json_lines(outputs).to_pylist()
    return [
        (
            PubsubMessage(
                f"{opening}{line[1:]}".encode(),
                {**(message.attributes or {}), MODEL_VERSION: version},
                ordering_key=message.ordering_key,
            ),
            time,
        )
        for (message, time), opening, line in zip(letters.dated, letters.keys, lines, strict=True)
    ]


def json_record(message: PubsubMessage, time: Timestamp) -> bytes:
    """Return a message as a line of a file: its time, attributes, ordering key and data.

    The data of an answer is a JSON object in it; the data of a dead letter is its original text.
    """
    record: dict[str, Any] = {
        "event_time": time.to_utc_datetime().isoformat(timespec="microseconds") + "Z",
        "ordering_key": message.ordering_key or None,
        "attributes": dict(message.attributes or {}),
    }
    dead = REASON in record["attributes"]
    text = message.data.decode("utf-8", "backslashreplace")
    record["data"] = text if dead else orjson.Fragment(message.data)
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _document(data: bytes) -> dict[str, Any] | RejectReason:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return RejectReason.NOT_JSON
    return document if isinstance(document, dict) else RejectReason.NOT_AN_OBJECT


def _columns(
    documents: Sequence[dict[str, Any]], inputs: Sequence[Column]
) -> tuple[list[pa.Array], np.ndarray, np.ndarray]:
    """Return the columns, and for each row its first reason and the column that gives it."""
    cells = [_cells([document.get(c.name) for document in documents], c) for c in inputs]
    arrays = [
        requested(cell.values.cast(arrow_type(c)), c) for cell, c in zip(cells, inputs, strict=True)
    ]
    return arrays, *first_reasons(cells, inputs, Needs())


def _cells(values: Sequence[Any], column: Column) -> Cells:
    return lists.of_json(values, column) if column.is_list else of_json(values, column)


def _opening(document: dict[str, Any], keys: Sequence[str]) -> str:
    pairs = (f"{orjson.dumps(k).decode()}:{orjson.dumps(document.get(k)).decode()}," for k in keys)
    return "{" + "".join(pairs)


def _dead(
    message: PubsubMessage, reason: RejectReason, column: str | None, value: Any
) -> PubsubMessage:
    why = {REASON: reason.code}
    if column is not None:
        why |= {COLUMN: column[:_MAX_VALUE], VALUE: str(value)[:_MAX_VALUE]}
    attributes = {**(message.attributes or {}), **why}
    return PubsubMessage(message.data, attributes, ordering_key=message.ordering_key)
