"""Parses a line of JSON to an object, in which keys that occur twice can be recognized."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

_LONGEST = 1_000  # digits of a whole number; more are beyond every type of column in any case


class RepeatingObject(dict[str, Any]):
    """A JSON object that has keys more than once; the value of each is the last one.

    Attributes:
      repeated: these keys.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = {key for key, count in Counter(k for k, _ in pairs).items() if count > 1}


def loads(line: bytes) -> Any:
    """Return the value that a line of JSON has; NaN and Infinity are numbers, as Python writes.

    Raises:
      UnicodeDecodeError: the line is not UTF-8.
      ValueError: it is not JSON.
      RecursionError: it is nested too deeply.
    """
    return _DECODER.decode(line.decode())


def encodable(text: str) -> str:
    """Return a text with escapes for halves of surrogate pairs, which JSON allows."""
    return text.encode(errors="backslashreplace").decode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    return record if len(record) == len(pairs) else RepeatingObject(pairs)


def _whole(text: str) -> int:
    return int(text[:_LONGEST])  # Python converts at most 4,300 digits


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole)
