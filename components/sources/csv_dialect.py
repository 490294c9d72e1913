"""Finds the delimiter of a CSV file from its first lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

from components.sources.byte_source import ByteSource

_HEAD_BYTES = 1 << 18
_MOST_LINES = 500
_DELIMITERS = (",", ";", "\t", "|")


def delimiter_of(path: str) -> str:
    """Return the delimiter that parts a file's first lines into equally many fields.

    Raises:
      DataError: the file cannot be read, or is not text.
    """
    with ByteSource(path) as source:
        head = source.read(_HEAD_BYTES)
    lines = head.decode("utf-8", errors="replace").splitlines()
    whole = lines[: max(len(lines) - 1, 1)] if len(head) == _HEAD_BYTES else lines
    return best_delimiter(whole[:_MOST_LINES])


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
