"""Reads TFRecord files of tf.Examples; a row's place is the number of its record, from 1.

A feature that is absent, or has no value, is missing. Values are checked as strictly as in CSV,
with the same reasons for rejects. Each step has a file: `tfrecord_head` looks at the first records,
`tfrecord_parse` reads Examples, `example_cells` converts the values of features.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pyarrow as pa

from components import files
from components.examples import arrow_schema
from components.sources import protocol
from components.sources.protocol import Block, Selection
from components.sources.tfrecord_head import TfRecordPart, read_part, read_records
from components.sources.tfrecord_sample import sample_records
from schemas.sources.tfrecord import TfRecord

MOST_ROWS = 8_192  # Examples in memory at a time
HAS_TYPES = True


class Reader(protocol.Reader[TfRecordPart]):
    """Reads TFRecord files of tf.Examples, plain or gzipped."""

    def __init__(self, options: TfRecord, selection: Selection) -> None:
        self._options = options
        self._selection = selection

    def check(self, path: str) -> None:
        """Check that the first records are tf.Examples."""
        read_part(path, Selection(()))

    def parts(self, path: str) -> list[TfRecordPart]:
        """Return the file as one part, its first records read."""
        return [read_part(path, self._selection)]

    def key_types(self, part: TfRecordPart) -> pa.Schema:
        """Return the types of the keys, which are those of the selection."""
        return arrow_schema(self._selection.keys)

    def read(self, part: TfRecordPart) -> Iterator[Block]:
        """Yield a file's records, at most `MOST_ROWS` at a time."""
        # this imports tfx_bsl, which the first records do not need
        from components.sources.tfrecord_parse import ExampleRules

        rules = ExampleRules(self._options, self._selection, part.seen)
        first = 1
        with files.open_read(part.path) as file:
            records = read_records(file, part.path)
            while batch := list(itertools.islice(records, MOST_ROWS)):
                yield from rules.blocks(batch, part.path, first)
                first += len(batch)


def draft(path: str) -> TfRecord:
    """Return the options that a file needs."""
    return TfRecord(path=path)


def sample(options: TfRecord, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of a file, at most some 20,000, and whether these are all."""
    Reader(options, Selection(())).check(path)
    return sample_records(path, rows)
