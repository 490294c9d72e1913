"""Reads CSV files into blocks of typed rows; a row's place is its first line.

Types come from the selected columns and are never guessed. Each step has a file: `byte_source`
unpacks, `header` finds the columns, `csv_blocks` finds records, `csv_ranges` divides large files,
`parse` and `cells` convert values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from components.sources import protocol
from components.sources.byte_source import ByteSource
from components.sources.csv_dialect import dialect_of
from components.sources.csv_ranges import find_ranges, read_records
from components.sources.header import Fields, read_fields
from components.sources.protocol import Block, Selection
from components.sources.rules import Rules
from schemas.sources.csv import Csv

if TYPE_CHECKING:
    import pyarrow as pa

HAS_TYPES = False


class Reader(protocol.Reader[Fields]):
    """Reads CSV files, plain or packed.

    Raises:
      ConfigError: the delimiter is not possible.
    """

    def __init__(self, options: Csv, selection: Selection) -> None:
        self._rules = Rules.of(options, selection)
        self._selection = selection

    def check(self, path: str) -> None:
        """Check that a file may be CSV, by its first bytes."""
        with ByteSource(path, encoding=self._rules.dialect.encoding):
            pass  # opening checks them

    def parts(self, path: str) -> list[Fields]:
        """Return the file as one part, its first lines read."""
        return [read_fields(path, self._rules)]

    def ranges(self, part: Fields) -> list[Fields]:
        """Divide a large plain file at ends of records, which reading all of it finds."""
        ranges = find_ranges(part.path, self._rules.dialect)
        return [replace(part, range=each) for each in ranges] or [part]

    def key_types(self, part: Fields) -> pa.Schema:
        """Return the types of the keys, which are those of the selection."""
        from components.examples import arrow_schema

        return arrow_schema(self._selection.keys)

    def read(self, part: Fields) -> Iterator[Block]:
        """Yield a file's records, about 16 MB of text at a time."""
        from components.sources.parse import parse  # imports pyarrow, which a header does not need

        for records in read_records(part.path, self._rules.dialect, part.range):
            yield parse(records, part, self._rules)


def draft(path: str) -> Csv:
    """Return the options that a file needs, as far as its first lines show."""
    return dialect_of(path)


def sample(options: Csv, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return about the first rows of a file, and whether these are all."""
    from components.sources.csv_sample import sample_records  # imports pyarrow

    return sample_records(options, path, rows)
