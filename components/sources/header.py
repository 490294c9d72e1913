"""Reads a CSV file's header: the positions of columns, and the approximate number of records."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from components.sources.byte_source import ByteSource
from components.sources.csv_blocks import Records, read_blocks
from components.sources.csv_ranges import Range
from components.sources.magic import is_binary
from components.sources.protocol import Part
from components.sources.rules import Dialect, Rules
from schemas.columns import SPACES
from schemas.errors import DataError, did_you_mean

_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class Fields(Part):
    """A CSV file, or a range of one, before it is read; `rows` is exact for a small file.

    Attributes:
      count: the number of fields in a record.
      positions: the positions of the columns, in the order of `Rules.columns`.
      range: the bytes; None for the whole file.
    """

    count: int
    positions: tuple[int, ...]
    range: Range | None = None


def read_fields(path: str, rules: Rules) -> Fields:
    """Read a file's header, or take the names of the rules, and find the columns.

    Raises:
      DataError: the file is empty or cannot be read, its first record is not a header or has
        another number of fields than the rules have names, or a column is missing or exists twice.
    """
    with ByteSource(path, encoding=rules.dialect.encoding) as source:
        block = next(read_blocks(source, rules.dialect, block_bytes=_HEAD_BYTES), None)
        seen_share = source.consumed / max(source.size, 1)
    if block is None:
        raise DataError(
            "the file is empty",
            where=path,
            expected="a header line with column names" if rules.dialect.header else "rows",
        )
    first = _first_values(block, rules, where=f"{path}:{block.line_of(0)}")
    names = [name.strip(SPACES) if rules.trim else name for name in rules.names or first]
    expected = [c.name for c in rules.columns]
    if rules.names:
        _check_names(first, names, expected, where=f"{path}:{block.line_of(0)}")
    else:
        _check(names, expected, where=path)
    return Fields(
        path=path,
        ignored=tuple(n for n in names if n not in expected),
        rows=(len(block) - rules.dialect.header) / seen_share,
        text_bytes=len(block.data) / seen_share,
        first_place=1 + rules.dialect.header,
        count=len(names),
        positions=tuple(names.index(name) for name in expected),
    )


def header_of(path: str, dialect: Dialect) -> bytes:
    """Return a file's header in UTF-8, without its line end.

    Raises:
      DataError: the file is empty, or cannot be read.
    """
    with ByteSource(path, encoding=dialect.encoding) as source:
        block = next(read_blocks(source, dialect, block_bytes=_HEAD_BYTES), None)
    if block is None:
        raise DataError("the file is empty", where=path, expected="a header line with column names")
    return block.record(0)


def _first_values(block: Records, rules: Rules, *, where: str) -> list[str]:
    """Return the values of the first record, which is the header if there is one."""
    if rules.names:
        text = block.record(0).decode("utf-8", "replace")
        return next(csv.reader([text], delimiter=rules.dialect.delimiter.decode()), [])
    return _header(block, rules.dialect, where=where)


def _check_names(
    first: Sequence[str], names: Sequence[str], expected: Sequence[str], *, where: str
) -> None:
    """Check that given names fit the first record, and that the columns are among them."""
    if len(first) != len(names):
        raise DataError(
            f"the first record has {len(first)} fields, and source.names has {len(names)} names",
            where=where,
            expected="a name for each field, in the order of the fields",
            remedy="correct source.names in pipeline.yaml, or source.delimiter",
        )
    for name in expected:
        if name not in names:
            raise DataError(
                f"source.names has no {name!r}; {did_you_mean(name, names)}",
                where=where,
                expected=f"{name} among the names, which are: {', '.join(names)}",
                remedy="correct source.names in pipeline.yaml, or the name of the column",
            )


def _header(block: Records, dialect: Dialect, *, where: str) -> list[str]:
    try:
        if not block.closed[0]:
            raise ValueError("a quote is not closed")
        if b"\0" in block.record(0):  # Python's csv module accepts it from 3.11 on
            raise ValueError("line contains NUL")
        text = block.record(0).decode("utf-8")
        return next(csv.reader([text], delimiter=dialect.delimiter.decode()))
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"the header cannot be read: {error}",
            where=where,
            expected=f"column names as {dialect.encoding.upper()} text",
            remedy=_mended(block),
        ) from error


def _mended(block: Records) -> str:
    """Return the remedy for a header that cannot be read."""
    if is_binary(block.record(0)):
        return "the file is not text, or its header has stray characters: save it again as CSV"
    if not block.closed[0]:
        return "close the quote, or double it inside of quotes if it belongs to a name"
    return (
        "set source.encoding in pipeline.yaml, such as cp1252, or convert the file to UTF-8:"
        " iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW-FILE"
    )


def _check(names: Sequence[str], expected: Sequence[str], *, where: str) -> None:
    absent = [name for name in expected if name not in names]
    if absent:
        shown = ", ".join(map(repr, absent))
        what = f"the column {shown} is" if len(absent) == 1 else f"the columns {shown} are"
        raise DataError(
            f"{what} not in the file's header{_nearest(absent, names, expected)}",
            where=where,
            expected=f"{shown} in the header, which is: {', '.join(names)}",
            remedy=_remedy(absent, names, expected),
        )
    for name in expected:
        if names.count(name) > 1:
            fields = [str(at) for at, other in enumerate(names, start=1) if other == name]
            raise DataError(
                f"the file's header has {name!r} {len(fields)} times",
                where=where,
                expected="each column that is read once",
                remedy=f"rename or drop all but one of the fields {' and '.join(fields)}",
            )


def _nearest(absent: Sequence[str], names: Sequence[str], expected: Sequence[str]) -> str:
    """Return suggestions, if names differ in case, or if only one column is absent."""
    if cased := _in_another_case(absent, names):
        return f"; did you mean {', '.join(map(repr, cased))}?"
    if len(absent) > 1:
        return ""
    spare = [n for n in names if n not in expected]
    hints = (did_you_mean(absent[0], known) for known in (spare, names))
    return next((f"; {hint}" for hint in hints if hint.startswith("did you mean")), "")


def _in_another_case(absent: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the header's names that differ from all absent ones only in case; otherwise none."""
    cased = {name.casefold(): name for name in names}
    names_meant = [cased[name.casefold()] for name in absent if name.casefold() in cased]
    return names_meant if len(names_meant) == len(absent) else []


def _like_values(names: Sequence[str]) -> bool:
    """Return whether a header is likely a record: some of its names are numbers."""
    return any(re.fullmatch(r"[+-]?[0-9.]+", name.strip()) for name in names)


def _remedy(absent: Sequence[str], names: Sequence[str], expected: Sequence[str]) -> str:
    """Return the remedy for absent columns: an option of the source, if that helps."""
    stripped = {name.strip(SPACES) for name in names}
    if stripped.issuperset(absent):
        return "set source.trim: true in pipeline.yaml, which drops spaces around names and values"
    if _in_another_case(absent, names):
        return "use the same upper and lower case in the header and in schema.pbtxt"
    if names[0].startswith("sep="):
        return "remove the first line, which only names the delimiter for Excel"
    if names[0].startswith("\ufeff"):
        return "remove the second byte order mark (EF BB BF) from the file's start"
    parted = [d for d in ";\t|," if len(names) == 1 and absent[0] in names[0].split(d)]
    if parted:
        return f"set source.delimiter: {json.dumps(parted[0])} in pipeline.yaml"
    if not set(names) & set(expected) or _like_values(names):
        return (
            "write the names of the columns into the file's first line, or leave the file out if it"
            " is not part of the table"
        )
    return "correct the header, or the name of the column"
