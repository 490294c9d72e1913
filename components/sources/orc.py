"""Reads ORC files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from components.arrow_files import open_orc
from components.sources.magic import ORC
from components.sources.typed_checks import TypedFormat
from components.sources.typed_file import FileSize, TypedReader, sample_first
from schemas.sources.orc import Orc

HAS_TYPES = True


class OrcStripes:
    """An open ORC file, described by its footer."""

    def __init__(self, path: str) -> None:
        self._file = open_orc(path)
        self.schema: pa.Schema = self._file.schema

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the number of rows, and the columns' share of the file's bytes."""
        share = len(names) / max(len(self.schema.names), 1)
        return FileSize(self._file.nrows, self._file.content_length * share)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns by the file's stripes, one of which is in memory at a time."""
        del rows  # a stripe is read as a whole
        for number in range(self._file.nstripes):
            yield self._file.read_stripe(number, columns=list(names))


class Reader(TypedReader):
    """Reads ORC files."""

    format = TypedFormat("ORC", "a readable ORC file", (ORC,), endings=Orc.endings)

    @classmethod
    def opened(cls, path: str) -> OrcStripes:
        """Open an ORC file by its footer."""
        return OrcStripes(path)


def draft(path: str) -> Orc:
    """Return the options that a file needs."""
    return Orc(path=path)


def sample(options: Orc, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, and whether these are all."""
    return sample_first(path, Reader, rows)
