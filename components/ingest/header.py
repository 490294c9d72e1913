"""A file's first bytes → where its columns are, and about how many records it has."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from components.ingest.byte_source import ByteSource
from components.ingest.csv_blocks import Block, read_blocks
from components.ingest.rules import SPACES, Dialect, Rules
from schemas.errors import DataError, did_you_mean

_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class Fields:
    """What a source file holds, known before it is read.

    Attributes:
      source: the file's path.
      count: fields that a record has.
      positions: where the columns are, in the order of `Rules.columns`.
      ignored: names in the header that are no columns.
      rows: about how many records the file has; exact if it is small.
      text_bytes: about how long its text is, unpacked.
    """

    source: str
    count: int
    positions: tuple[int, ...]
    ignored: tuple[str, ...]
    rows: float
    text_bytes: float


def read_fields(path: str, rules: Rules) -> Fields:
    """Read a file's header and find the columns in it.

    Raises:
      DataError: the file is empty or cannot be read, its first record is no header, or a column
        is not in it, or is there twice.
    """
    with ByteSource(path) as source:
        block = next(read_blocks(source, rules.dialect, block_bytes=_HEAD_BYTES), None)
        seen_share = source.consumed / max(source.size, 1)
    if block is None:
        raise DataError("the file is empty", where=path, expected="a header line with column names")
    names = _names(block, rules.dialect, where=f"{path}:{block.line_of(0)}")
    names = [name.strip(SPACES) if rules.trim else name for name in names]
    wanted = [c.name for c in rules.columns]
    _check(names, wanted, where=path)
    return Fields(
        source=path,
        count=len(names),
        positions=tuple(names.index(name) for name in wanted),
        ignored=tuple(n for n in names if n not in wanted),
        rows=(len(block) - 1) / seen_share,
        text_bytes=len(block.data) / seen_share,
    )


def _names(block: Block, dialect: Dialect, *, where: str) -> list[str]:
    try:
        if not block.closed[0]:
            raise ValueError("a quote is not closed")
        text = block.record(0).decode("utf-8")
        return next(csv.reader([text], delimiter=dialect.delimiter.decode()))
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"the header cannot be read: {error}",
            where=where,
            expected="column names as UTF-8 text",
        ) from error


def _check(names: Sequence[str], wanted: Sequence[str], *, where: str) -> None:
    for name in wanted:
        if name not in names:
            spare = [n for n in names if n not in wanted]
            hint = f"; {did_you_mean(name, spare)}" if spare else ""
            raise DataError(
                f"the column {name!r} is not in the file's header{hint}",
                where=where,
                expected=f"{name!r} in the header, which is: {', '.join(names)}",
                remedy="correct the header, or the name in schema.pbtxt",
            )
        if names.count(name) > 1:
            raise DataError(
                f"the file's header has {name!r} {names.count(name)} times",
                where=where,
                expected="each column of schema.pbtxt once",
            )
