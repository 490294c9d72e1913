"""Reads ORC files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from components import files
from components.arrow_files import open_orc
from components.sources.magic import ORC
from components.sources.orc_times import time_ranges
from components.sources.typed_checks import TypedFormat
from components.sources.typed_file import FileSize, TypedReader, sample_first
from schemas.errors import DataError
from schemas.sources.orc import Orc

HAS_TYPES = True
_MOST_MILLISECONDS = 2**63 // 1_000_000


class OrcStripes:
    """An open ORC file, described by its footer."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open_orc(path)
        self.schema: pa.Schema = self._file.schema

    def size(self, names: Sequence[str]) -> FileSize:
        """Return the number of rows, and the columns' share of the file's bytes."""
        self._check_times(names)
        share = len(names) / max(len(self.schema.names), 1)
        return FileSize(self._file.nrows, self._file.content_length * share)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns by the file's stripes, one of which is in memory at a time."""
        del rows  # a stripe is read as a whole
        self._check_times(names)
        for number in range(self._file.nstripes):
            yield self._file.read_stripe(number, columns=list(names))

    def _check_times(self, names: Sequence[str]) -> None:
        """Check that times of these columns are those that pyarrow can read."""
        times = {f.name for f in self.schema if f.name in names and pa.types.is_timestamp(f.type)}
        if not times:
            return
        with files.open_read(self._path) as file:
            ranges = time_ranges(file)
        for name, found in zip(self.schema.names, ranges):  # noqa: B905 - there may be none
            if name in times and found and max(-found.first, found.last) > _MOST_MILLISECONDS:
                raise DataError(
                    f"the column {name!r} has times before 1677 or after 2262",
                    where=self._path,
                    expected="times that 64 bits can hold as nanoseconds, which pyarrow makes of"
                    " those in ORC",
                    remedy="write such times as missing, or the table as Parquet",
                )


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
