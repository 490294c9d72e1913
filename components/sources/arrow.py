"""Reads Arrow IPC files (Feather files among them), and files in Arrow's stream format.

Arrow's readers take offsets and indices from a file as they are. They are checked here, before
anything follows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa

from components import files
from components.arrow_files import open_arrow, open_arrow_stream
from components.sources.magic import ARROW, ARROW_STREAM
from components.sources.texts import with_bytes
from components.sources.typed_checks import TypedFormat
from components.sources.typed_file import FileSize, TypedReader, sample_first
from schemas.errors import DataError
from schemas.sources.arrow import Arrow

_STREAM = b"\xff\xff\xff\xff"
_END = _STREAM + b"\0\0\0\0"
HAS_TYPES = True


class ArrowBatches:
    """An open Arrow file, whose footer has the schema and the places of the batches."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.schema: pa.Schema = self._opened(()).schema

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the size of these columns if all batches are like the first one."""
        file = self._opened(_positions(self.schema, names))
        count = file.num_record_batches
        if not count:
            return FileSize(0, 0)
        first = _checked(file.get_batch(0))
        last = first if count == 1 else file.get_batch(count - 1)
        rows = first.num_rows * (count - 1) + last.num_rows
        return FileSize(rows, first.nbytes / max(first.num_rows, 1) * rows)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns by the file's batches, one of which is in memory at a time."""
        del rows  # a batch is read as a whole
        file = self._opened(_positions(self.schema, names))
        for number in range(file.num_record_batches):
            yield _checked(file.get_batch(number))

    def _opened(self, only: Sequence[int]) -> pa.ipc.RecordBatchFileReader:
        return open_arrow(files.arrow_source(self._path), self._path, only)


class ArrowStream:
    """A file in the stream format, which has its batches one after the other up to an end mark."""

    def __init__(self, path: str) -> None:
        self._path = path
        with files.open_read(path) as file:
            self.schema: pa.Schema = open_arrow_stream(file, path).schema
            self._bytes = file.seek(0, os.SEEK_END)
            file.seek(max(self._bytes - len(_END), 0))
            if file.read() != _END:
                raise self._incomplete("the Arrow stream has no end mark")

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the size of these columns if all of the file is like the first batch."""
        with files.open_read(self._path) as file:
            stream = open_arrow_stream(file, self._path, _positions(self.schema, names))
            first = next(iter(stream), None)
            share = file.tell() / self._bytes
        if first is None:
            return FileSize(0, 0)
        first = _checked(first)
        return FileSize(first.num_rows / share, first.nbytes / share)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns by the stream's batches, one of which is in memory at a time."""
        del rows  # a batch is read as a whole
        with files.open_read(self._path) as file:
            stream = open_arrow_stream(file, self._path, _positions(self.schema, names))
            for batch in stream:
                yield _checked(batch)
            self._check_end(file)

    def _check_end(self, file: IO[bytes]) -> None:
        if file.read(1):
            raise self._incomplete("the Arrow stream ends before the file")

    def _incomplete(self, what: str) -> DataError:
        return DataError(
            what,
            where=self._path,
            expected="one Arrow stream, complete",
            remedy="close the writer, and write each stream to a file of its own; if it was"
            " copied, copy it again",
        )


class Reader(TypedReader):
    """Reads Arrow files of either format."""

    format = TypedFormat(
        "Arrow",
        "a readable Arrow file (Feather version 2)",
        (ARROW, ARROW_STREAM),
        endings=Arrow.endings,
    )

    @classmethod
    def opened(cls, path: str) -> ArrowBatches | ArrowStream:
        """Open a file of the format that its first bytes show."""
        with files.open_read(path) as file:
            begins_as_stream = file.read(len(_STREAM)) == _STREAM
        return ArrowStream(path) if begins_as_stream else ArrowBatches(path)


def _positions(schema: pa.Schema, names: Sequence[str]) -> list[int]:
    return [position for position, name in enumerate(schema.names) if name in names]


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose offsets and indices are within its buffers.

    Text that is not UTF-8 is a matter of its row.

    Raises:
      pa.ArrowInvalid: they do not.
    """
    for array in batch.columns:
        array.view(with_bytes(array.type)).validate(full=True)
    return batch


def draft(path: str) -> Arrow:
    """Return the options that a file needs."""
    return Arrow(path=path)


def sample(options: Arrow, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, and whether these are all."""
    return sample_first(path, Reader, rows)
