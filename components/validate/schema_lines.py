"""The text of a schema.pbtxt → the lines where its columns and domains are described.

For the people who are to change them: protobuf's own parser tells no positions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<open>[{<]) | (?P<close>[}>])
      | (?P<word>[A-Za-z_]\w*)
      | (?P<newline>\n)""",
    re.VERBOSE,
)


def lines_of(text: str) -> Mapping[tuple[str, str, str], int]:
    r"""Return line numbers by (block, name, field); the field "" is the block's first line.

    >>> lines_of('feature {\n  name: "fare"\n  type: FLOAT\n}')["feature", "fare", "type"]
    3
    """
    found: dict[tuple[str, str, str], int] = {}
    fields: dict[str, int] = {}
    line, depth, block, word, name = 1, 0, "", "", ""
    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token.group()
        if kind == "newline":
            line += 1
        elif kind == "word":
            word = value
            if depth == 0:
                block, name, fields = value, "", {"": line}
            elif depth == 1:
                fields.setdefault(value, line)
        elif kind == "string" and depth == 1 and word == "name":
            name = value[1:-1]
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
            if depth == 0:
                found.update({(block, name, field): at for field, at in fields.items()})
    return found


def place(
    lines: Mapping[tuple[str, str, str], int], block: str, name: str, field: str, file: str
) -> str:
    """Return `FILE:LINE` of a field, or of its block, or `FILE` where neither stands."""
    line = lines.get((block, name, field)) or lines.get((block, name, ""))
    return f"{file}:{line}" if line else file
