"""Finds lines of JSON that pyarrow reads as `json_records` does, or refuses.

pyarrow also reads several objects in a line, objects of several lines and some numbers that are not
JSON. It stops at a stray bracket without an error, and crashes at `null` between objects
(apache/arrow#47409).
"""

from __future__ import annotations

import re

import numpy as np

from components.sources.jsonl_lines import SPACES, Lines

_DEEPEST = 100  # brackets that open in a line; pyarrow reads any number, json about 1,000
_WIDEST = 4  # spaces after a brace

# A number that pyarrow reads and json does not: Inf (but Infinity), -NaN.
_ODD_NUMBER = re.compile(rb"Inf[\s,\]}]|-NaN")


def simple_lines(lines: Lines) -> np.ndarray:
    """Return which lines pyarrow reads as json does, or not at all: bool of shape [records].

    Such a line begins and ends with braces, and what follows a closing brace in it is what may
    follow an object within another. So it has one object, or an error that pyarrow finds.
    """
    data, text = lines.data, np.frombuffer(lines.data, np.uint8)
    last = lines.ends - 1
    last = text[last - (text[last] == ord("\r"))]
    simple = (text[lines.starts] == ord("{")) & (last == ord("}"))
    for at in np.flatnonzero(~simple).tolist():  # spaces around the object
        stripped = data[lines.starts[at] : lines.ends[at]].strip(SPACES)
        simple[at] = stripped.startswith(b"{") and stripped.endswith(b"}")
    simple[_lines_of(lines, _odd_braces(text))] = False
    opened = np.flatnonzero((text | 0x20) == ord("{"))  # both brackets: [ is 0x5b, { is 0x7b
    simple &= np.diff(np.searchsorted(opened, [lines.starts, lines.ends]), axis=0)[0] <= _DEEPEST
    if b"\0" in data:
        simple[_lines_of(lines, np.flatnonzero(text == 0))] = False
    if b"Inf" in data or b"-NaN" in data:
        odd = [match.start() for match in _ODD_NUMBER.finditer(data)]
        simple[_lines_of(lines, np.array(odd, np.int64))] = False
    if not _is_utf8(data):
        simple &= [_is_utf8(lines.record(at)) for at in range(len(lines))]
    return simple


def _odd_braces(text: np.ndarray) -> np.ndarray:
    """Return the positions of closing braces that do not end an object within another or a line."""
    after = np.flatnonzero(text == ord("}")) + 1
    odd = after[~np.isin(text[after], list(b",]}\n"))]
    for _ in range(_WIDEST):
        odd = odd + np.isin(text[odd], list(b" \t\r"))
        odd = odd[~np.isin(text[odd], list(b",]}\n"))]
    return odd - 1


def _lines_of(lines: Lines, positions: np.ndarray) -> np.ndarray:
    """Return the records in whose lines these positions of `data` are."""
    return np.searchsorted(lines.starts, positions, "right") - 1


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
