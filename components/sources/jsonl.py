"""Reads JSON lines into blocks of typed rows; a row's place is its line in the file, from 1.

A missing key and null are missing. Values are checked as strictly as in CSV, with the same reasons
for rejects. Each step has a file: `jsonl_head` looks at the first lines, `jsonl_lines` finds lines,
`jsonl_parse` reads them, `json_columns` converts values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.sources import protocol
from components.sources.byte_source import ByteSource
from components.sources.jsonl_head import JsonLinesPart, read_part
from components.sources.jsonl_lines import TEXT, read_lines
from components.sources.protocol import Block, Selection
from schemas.sources.jsonl import JsonLines

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 8 << 20
HAS_TYPES = True


class Reader(protocol.Reader[JsonLinesPart]):
    """Reads files of JSON lines, plain or gzipped."""

    def __init__(self, options: JsonLines, selection: Selection) -> None:
        self._options = options
        self._selection = selection

    def check(self, path: str) -> None:
        """Check that the first lines are JSON objects."""
        read_part(path, Selection(()))

    def parts(self, path: str) -> list[JsonLinesPart]:
        """Return the file as one part, its first lines read."""
        return [read_part(path, self._selection)]

    def key_types(self, part: JsonLinesPart) -> pa.Schema:
        """Return the types of the keys, which are those of the selection."""
        from components.examples import arrow_schema

        return arrow_schema(self._selection.keys)

    def read(self, part: JsonLinesPart) -> Iterator[Block]:
        """Yield a file's records, about `BLOCK_BYTES` of text at a time."""
        # these import pyarrow, which the first lines do not need
        from components.sources.jsonl_parse import parse
        from components.sources.jsonl_rows import JsonRules

        rules = JsonRules(self._options, self._selection, part.seen)
        with ByteSource(part.path, TEXT) as source:
            for lines in read_lines(source, block_bytes=BLOCK_BYTES):
                yield parse(lines, part.path, rules)


def draft(path: str) -> JsonLines:
    """Return the options that a file needs."""
    return JsonLines(path=path)


def sample(options: JsonLines, path: str, rows: int) -> tuple[pa.Table, bool]:
    """Return about the first rows of a file, and whether these are all."""
    from components.sources.jsonl_sample import sample_lines  # imports pyarrow

    Reader(options, Selection(())).check(path)
    return sample_lines(path, rows)
