"""Scores an endless sequence of files: each new one once, with its scores and rejects in files.

Files are written atomically, and their names derive from their source's, so that repeated work
replaces itself. A file that cannot be read is a reject, and the stream continues.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io import fileio
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.ml.inference.base import PredictionResult
from apache_beam.transforms import window
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from components import progress
from components.ingest.failures import disk_errors
from components.score.by_class import known_classes, named
from components.score.counts import READ, REJECTED, SCORED, STAGE, count
from components.score.formats import Format
from components.score.inference import ScoreKeyedBatches
from components.score.messages import COLUMN, MODEL_VERSION, REASON
from components.score.model_handler import SavedModelHandler
from components.score.sinks import json_lines, open_sink
from components.score.sources import Wanted, read_rows
from components.sources.rejects import SCHEMA, as_batch
from schemas.errors import DataError


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a file that are being scored.

    Attributes:
      path: the file.
      number: the number of earlier pieces.
      columns: keys, or source and line.
      scored: the model's result, once it is there.
    """

    path: str
    number: int
    columns: pa.RecordBatch
    scored: tuple[PredictionResult, ...] = ()

    @property
    def name(self) -> str:
        """The name of its output files, which is the same in every attempt."""
        stem = os.path.basename(self.path).partition(".")[0]
        return f"{stem}-{zlib.crc32(self.path.encode()):08x}-{self.number:05d}"


class ScoreNewFiles(beam.PTransform):
    """Scores each file that matches a pattern, now or later, once, like `ScoreFoundFiles`.

    For streaming runners: Beam's in-process runner keeps all state of an unbounded pipeline in
    memory. There, `look_for_files` finds the files and a `BoundedPipeline` scores them.

    Args:
      pattern: the pattern of the files.
      handler: the model.
      wanted: what to read from a file.
      seconds: between two looks.
      stop: when to stop looking.
      versions: a PCollection of ModelMetadata, such as WatchFilePattern's, or None.
    """

    def __init__(
        self,
        pattern: str,
        handler: SavedModelHandler,
        wanted: Wanted,
        *,
        seconds: float = 10.0,
        stop: Timestamp = MAX_TIMESTAMP,
        versions: beam.PCollection[Any] | None = None,
    ) -> None:
        super().__init__()
        self._match = fileio.MatchContinuously(
            pattern, interval=seconds, start_timestamp=Timestamp.now(), stop_timestamp=stop
        )
        self._score = ScoreFoundFiles(handler, wanted, versions=versions)

    def expand(self, pbegin: beam.pvalue.PBegin) -> Any:
        """Build the steps."""
        return pbegin | "Match" >> self._match | "Found" >> self._score


class ScoreFoundFiles(beam.PTransform):
    """Scores files, given as `FileMetadata`.

    Returns `scored` (pairs of a `Chunk` and its RecordBatch) and `rejects` (pairs of a chunk's name
    and a RecordBatch of rejected rows), both with the time of the file's last change. A file should
    appear whole: write it elsewhere and rename it.

    Args:
      handler: the model.
      wanted: what to read from a file.
      versions: a PCollection of ModelMetadata, such as WatchFilePattern's, or None.
    """

    def __init__(
        self,
        handler: SavedModelHandler,
        wanted: Wanted,
        *,
        versions: beam.PCollection[Any] | None = None,
    ) -> None:
        super().__init__()
        self._handler, self._wanted, self._versions = handler, wanted, versions

    def expand(self, files: beam.PCollection[FileMetadata]) -> Any:
        """Build the steps."""
        read = (
            files
            | "InTime" >> beam.Map(lambda file: window.TimestampedValue(file, _written(file)))
            | "Read" >> beam.ParDo(_ReadNewFile(self._wanted)).with_outputs("rejects", main="rows")
        )
        scored = read.rows | "Score" >> ScoreKeyedBatches(self._handler, self._versions)
        return _Files(scored, read.rejects)


@dataclass(frozen=True)
class _Files:
    scored: beam.PCollection[Any]
    rejects: beam.PCollection[Any]


def _written(file: FileMetadata) -> float:
    return float(file.last_updated_in_seconds)


class _ReadNewFile(beam.DoFn):
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def process(self, file: FileMetadata) -> Iterator[Any]:
        try:
            for number, rows in enumerate(read_rows(file.path, self._wanted)):
                chunk = Chunk(file.path, number, rows.carried)
                count(READ, rows.read)
                progress.rows(STAGE, rows.read)
                if rows.rejects:
                    yield _reject(chunk.name, as_batch(rows.rejects))
                if rows.inputs.num_rows:
                    yield chunk, rows.inputs
        except DataError as error:  # the whole file is rejected, and the stream continues
            count(READ, 1)  # for the reject
            name = Chunk(file.path, 0, pa.record_batch([])).name
            yield _reject(f"{name}-file", _whole_file(file.path, error))


def _reject(name: str, rejects: pa.RecordBatch) -> beam.pvalue.TaggedOutput:
    return beam.pvalue.TaggedOutput("rejects", (name, rejects))


def _whole_file(path: str, error: DataError) -> pa.RecordBatch:
    row = {"source": path, "reason": "unreadable_file", "record": str(error)}
    return pa.RecordBatch.from_arrays(
        [pa.array([row.get(field.name)], field.type) for field in SCHEMA], schema=SCHEMA
    )


class WriteScoredFiles(beam.PTransform):
    """Writes the output of `ScoreNewFiles`: a file for each chunk, named after its source."""

    def __init__(self, folder: str, kind: Format) -> None:
        super().__init__()
        self._folder, self._kind = folder, kind

    def expand(self, scored: beam.PCollection[Any]) -> beam.PCollection[str]:
        """Build the steps."""
        return scored | "Write" >> beam.MapTuple(_write_chunk, folder=self._folder, kind=self._kind)


def _write_chunk(
    chunk: Chunk, _: pa.RecordBatch, folder: str = "", kind: Format = "parquet"
) -> str:
    path = os.path.join(folder, f"{chunk.name}.{kind}")
    write_rows(path, kind, scored_rows(chunk, kind))
    count(SCORED, chunk.columns.num_rows)
    return path


def scored_rows(chunk: Chunk, kind: Format) -> pa.RecordBatch:
    """Return a chunk's keys, the model's outputs as a format has them, and the version."""
    (result,) = chunk.scored
    outputs = named(result.inference, known_classes(result.model_id), kind)
    version = os.path.basename(os.path.normpath(result.model_id))
    rows = chunk.columns.num_rows
    return pa.RecordBatch.from_arrays(
        [*chunk.columns.columns, *outputs.columns, pa.array([version] * rows)],
        [*chunk.columns.schema.names, *outputs.schema.names, MODEL_VERSION],
    )


class WriteRejectFiles(beam.PTransform):
    """Writes the rejects of `ScoreNewFiles`: a Parquet file for each chunk, as in ingest."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def expand(self, rejects: beam.PCollection[Any]) -> beam.PCollection[str]:
        """Build the steps."""
        return rejects | "Write" >> beam.MapTuple(_write_rejects, folder=self._folder)


def _write_rejects(name: str, rejects: pa.RecordBatch, folder: str = "") -> str:
    path = os.path.join(folder, f"{name}.parquet")
    write_rows(path, "parquet", rejects)
    count(REJECTED, rejects.num_rows)
    return path


def write_rows(path: str, kind: Format, rows: pa.RecordBatch) -> None:
    """Write a file of rows, atomically.

    Raises:
      DataError: the disk is full, or the folder cannot be written to.
    """
    with disk_errors("the rows", path):
        sink = open_sink(path, kind, rows.schema)
        sink.write(rows)
        sink.close()


def rows_as_messages(chunk: Chunk, _: pa.RecordBatch) -> list[PubsubMessage]:
    """Return a message of JSON for each scored row of a file."""
    lines = json_lines(scored_rows(chunk, "jsonl")).to_pylist()
    return [PubsubMessage(line.encode(), {"source": chunk.path}) for line in lines]


def rejects_as_messages(_: str, rejects: pa.RecordBatch) -> list[PubsubMessage]:
    """Return a dead letter for each rejected row of a file: the original row, and the reason."""
    return [
        PubsubMessage(
            (row["record"] or "").encode(),
            {
                "source": row["source"],
                "line": str(row["line"]),
                REASON: row["reason"],
                COLUMN: row["column"] or "",
            },
        )
        for row in rejects.to_pylist()
    ]
