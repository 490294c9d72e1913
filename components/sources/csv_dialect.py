"""Finds the options that a CSV file needs from its first lines, for `skewless init`."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence

from components import files
from components.sources.byte_source import ByteSource
from components.sources.magic import wide_encoding
from components.sources.packing import DAMAGES, packing_of
from schemas.sources.csv import Csv

_HEAD_BYTES = 1 << 18
_MOST_LINES = 500
_DELIMITERS = (",", ";", "\t", "|")
_COMMENT = "#"
_UTF8 = "utf-8"

_NUMBER = re.compile(r"\s*[+-]?([0-9][0-9.,]*|[.,][0-9]+)([eE][+-]?[0-9]+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
_GROUPED = re.compile(r"\s*[+-]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?\s*")
_DECIMAL_POINT = re.compile(r"\s*[+-]?[0-9]*\.[0-9]+\s*")


def dialect_of(path: str) -> Csv:
    """Return the options by which a file is read.

    Raises:
      DataError: the file cannot be read, or is not text.
    """
    encoding = _encoding_of(path)
    with ByteSource(path, encoding=encoding) as source:
        head = source.read(_HEAD_BYTES)
    lines = head.decode(_UTF8, errors="replace").removeprefix("\ufeff").splitlines()
    whole = lines[: max(len(lines) - 1, 1)] if len(head) == _HEAD_BYTES else lines
    whole = [line for line in whole if line][:_MOST_LINES]
    rows = [line for line in whole if not line.startswith(_COMMENT)]
    comment = _COMMENT if _are_comments(whole, rows) else ""
    rows = rows if comment else whole
    delimiter = best_delimiter(rows)
    records = list(csv.reader(rows, delimiter=delimiter))
    names = made_names(records)
    values = [value for record in records for value in record]
    decimal, thousands = number_format(values) if delimiter != "," else (".", "")
    return Csv(
        path=path,
        delimiter=delimiter,
        encoding=encoding,
        comment=comment,
        header=not names,
        names=names,
        decimal=decimal,
        thousands=thousands,
    )


def best_delimiter(lines: Sequence[str]) -> str:
    r"""Return the delimiter of lines of CSV; a comma if there is only one field.

    >>> best_delimiter(["name;price", "chair;12,50", "table;99,00"])
    ';'
    """
    scores = {}
    for delimiter in _DELIMITERS:
        try:
            counts = Counter(len(record) for record in csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        fields, records = max(
            counts.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0)
        )
        if fields > 1:
            scores[delimiter] = (records / counts.total(), fields)
    return max(scores, key=lambda d: scores[d]) if scores else _DELIMITERS[0]


def _encoding_of(path: str) -> str:
    """Return UTF-8, UTF-16 or UTF-32 if the first bytes are, else what Windows or Latin 1 has."""
    try:
        with files.open_read(path) as file:
            packing = packing_of(path)
            head = (file if packing is None else packing.unpacked(file)).read(_HEAD_BYTES)
    except (OSError, *DAMAGES):
        return _UTF8  # reading the file reports it
    if (wide := wide_encoding(head)) is not None:
        return codecs.lookup(wide).name
    for encoding in (_UTF8, "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return encoding
    return "iso8859-1"


def _are_comments(lines: Sequence[str], rows: Sequence[str]) -> bool:
    """Return whether the first line is clearly a comment: it has other fields than the rows."""
    if not rows or not lines[0].startswith(_COMMENT):
        return False
    delimiter = best_delimiter(rows)
    fields = [len(record) for record in csv.reader([lines[0], rows[0]], delimiter=delimiter)]
    return len(fields) == 2 and fields[0] != fields[1]


def made_names(records: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return names for the fields of a file whose first record is a row; () if it is a header.

    It is a row if each of its values is a number or occurs again in its column, and one of them is
    a number.

    >>> made_names([["1", "a"], ["2", "b"], ["3", "a"]]), made_names([["n", "t"], ["1", "a"]])
    (('column_1', 'column_2'), ())
    """
    first, *others = records or [[]]
    numbers = [_NUMBER.fullmatch(value) is not None for value in first]
    known = [
        is_number or not value or any(at < len(each) and each[at] == value for each in others)
        for at, (value, is_number) in enumerate(zip(first, numbers, strict=True))
    ]
    if not (others and any(numbers) and all(known)):
        return ()
    return tuple(f"column_{number}" for number in range(1, len(first) + 1))


def number_format(values: Sequence[str]) -> tuple[str, str]:
    """Return what is before fractions, and what is between thousands.

    >>> number_format(["1.234,50", "7,5"]), number_format(["1.5", "2"])
    ((',', '.'), ('.', ''))
    """
    grouped = [value for value in values if _GROUPED.fullmatch(value)]
    points = [v for v in values if _DECIMAL_POINT.fullmatch(v) and not _GROUPED.fullmatch(v)]
    commas = any(map(_DECIMAL_COMMA.fullmatch, values)) or any("," in each for each in grouped)
    if points or not commas:
        return ".", ""
    return ",", "." if grouped else ""
