"""Reads a source without the rows that `where`, `required` and `drop_duplicates` drop."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from components import files
from components.prepare.rules import KEPT, RowRules
from components.sources.protocol import Block, Part, Reader
from schemas.prepare import DUPLICATES


@dataclass(frozen=True)
class DroppedRows:
    """Rows of a part that a rule drops.

    Attributes:
      rule: the rule's name.
      rows: the rows, with the columns of examples.
      places: int64 of shape [rows], the position of each row in the file.
    """

    rule: str
    rows: pa.RecordBatch
    places: np.ndarray


@dataclass(frozen=True)
class PreparedBlock(Block):
    """A block whose rows are those that are kept.

    Attributes:
      dropped: the others, by the rule that drops them.
    """

    dropped: tuple[DroppedRows, ...] = ()


@dataclass(frozen=True)
class PreparedReader:
    """Reads the parts of a source; is sent to workers.

    Attributes:
      reader: reads all columns of examples, so that each pass rejects the same records.
      parts: the parts of the source, in an order that determines the order of rows; large ones are
        divided further, which changes no example.
      files: the position of each part's file among the files.
      rules: the rules about single rows.
      duplicates: the folder of `write_duplicates`; None if duplicates are not dropped.
    """

    reader: Reader[Any]
    parts: tuple[Part, ...]
    files: tuple[int, ...]
    rules: RowRules
    duplicates: str | None = None

    @classmethod
    def of(cls, reader: Reader[Any], parts: Sequence[Part], rules: RowRules) -> PreparedReader:
        """Return a reader that does not drop duplicates."""
        ranges = [reader.ranges(part) for part in parts]
        files_of = tuple(file for file, each in enumerate(ranges) for _ in each)
        return cls(reader, tuple(part for each in ranges for part in each), files_of, rules)

    def read(self, part: Part) -> Iterator[PreparedBlock]:
        """Yield a part's records in order, as rows that are kept, rows that are not, and rejects.

        Raises:
          DataError: the file cannot be read to its end, or a condition cannot be computed.
        """
        gone = None
        if self.duplicates is not None:
            gone = _read_duplicates(self.duplicates, self.files[self.parts.index(part)])
        names = (*self.rules.names, DUPLICATES)
        for block in self.reader.read(part):
            verdicts = self.rules.verdicts(block.columns)
            rows = np.flatnonzero(verdicts == KEPT)
            if gone is not None:
                numbers = block.places[rows] - part.first_place
                verdicts[rows[_has(gone, numbers)]] = len(names) - 1
            yield _sorted_out(block, verdicts, names)


def _sorted_out(block: Block, verdicts: np.ndarray, names: Sequence[str]) -> PreparedBlock:
    """Return the block with its rows apart by verdict."""

    def those(number: int) -> tuple[pa.RecordBatch, np.ndarray]:
        chosen = verdicts == number
        return block.columns.filter(pa.array(chosen)), block.places[chosen]

    numbers = [int(number) for number in np.unique(verdicts) if number != KEPT]
    if not numbers:
        return PreparedBlock(block.read, block.columns, block.places, block.rejects)
    rows, places = those(KEPT)
    dropped = tuple(DroppedRows(names[number], *those(number)) for number in numbers)
    return PreparedBlock(block.read, rows, places, block.rejects, dropped)


def write_duplicates(folder: str, file: int, numbers: np.ndarray) -> None:
    """Write which rows of a file are duplicates, one bit a row.

    Args:
      folder: the folder for all files.
      file: the file's position among the files.
      numbers: the numbers of the rows in the file, int64.
    """
    bits = np.zeros(int(numbers.max()) + 1, bool)
    bits[numbers] = True
    files.write_whole(_path(folder, file), np.packbits(bits).tobytes())


def _read_duplicates(folder: str, file: int) -> np.ndarray:
    try:
        return np.frombuffer(files.read_bytes(_path(folder, file)), np.uint8)
    except FileNotFoundError:
        return np.zeros(0, np.uint8)  # a file without duplicates has none


def _has(bits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return which numbers have their bit set, bool [rows]."""
    found = np.zeros(len(numbers), bool)
    inside = numbers >> 3 < len(bits)
    known = numbers[inside]
    found[inside] = bits[known >> 3] >> (7 - (known & 7)).astype(np.uint8) & 1
    return found


def _path(folder: str, file: int) -> str:
    return os.path.join(folder, f"duplicates-{file:05d}")
