"""Finds the lines of fields in the text of a schema.pbtxt.

For error messages: protobuf's own parser does not report positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# The path of a field from the top: names, each with its index within the enclosing message.
Path = tuple[tuple[str, int], ...]

# A comment, or a part of a field.
TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<open>[{<]) | (?P<close>[}>])
      | (?P<list>\[) | (?P<end>\])
      | (?P<colon>:)
      | (?P<number>[-+]?[0-9.][\w.+-]*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<newline>\n)""",
    re.VERBOSE,
)


def lines_by_path(text: str) -> dict[Path, int]:
    r"""Return the line of every field.

    >>> lines_by_path('feature {\n  name: "fare"\n  int_domain { min: 0 }\n}')[
    ...     ("feature", 0), ("int_domain", 0), ("min", 0)
    ... ]
    3
    """
    lines: dict[Path, int] = {}
    for path, line, _ in _fields(text):
        lines.setdefault(path, line)
    return lines


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a field, or of the nearest enclosing message with a line."""
    for length in range(len(path), 0, -1):
        if line := lines.get(path[:length]):
            return line
    return None


def deepest(text: str) -> tuple[int, int]:
    """Return the deepest nesting of messages, and its line."""
    depth = most = 0
    line = at = 1
    for token in TOKEN.finditer(text):
        if token.lastgroup == "newline":
            line += 1
        elif token.lastgroup == "open":
            depth += 1
            if depth > most:
                most, at = depth, line
        elif token.lastgroup == "close":
            depth -= 1
    return most, at


def lines_of(text: str) -> Mapping[tuple[str, str, str], int]:
    r"""Return line numbers by (block, name, field); the field "" is the block's first line.

    >>> lines_of('feature {\n  name: "fare"\n  type: FLOAT\n}')["feature", "fare", "type"]
    3
    """
    blocks: dict[Path, dict[str, int]] = {}
    names: dict[Path, str] = {}
    for path, line, value in _fields(text):
        if len(path) == 1:
            blocks[path] = {"": line}
        elif len(path) == 2:
            blocks[path[:1]].setdefault(path[1][0], line)
            if path[1][0] == "name":
                names[path[:1]] = value
    return {
        (path[0][0], names.get(path, ""), name): line
        for path, fields in blocks.items()
        for name, line in fields.items()
    }


def place(
    lines: Mapping[tuple[str, str, str], int], block: str, name: str, field: str, file: str
) -> str:
    """Return `FILE:LINE` of a field, or of its block; `FILE` if neither is in the text."""
    line = lines.get((block, name, field)) or lines.get((block, name, ""))
    return f"{file}:{line}" if line else file


def _fields(text: str) -> Iterator[tuple[Path, int, str]]:
    """Yield each field's path and line and, if its value is a string, the string as written.

    Text that is not a schema gives arbitrary paths, but never an error.
    """
    reader = _Reader()
    line = 1
    for token in TOKEN.finditer(text):
        kind, value = token.lastgroup or "", token.group()
        if kind == "newline":
            line += 1
        elif kind == "word" and reader.expects_field:
            reader.begin(value, line)
        elif kind in ("word", "number", "string") and reader.pending is not None:
            yield *reader.pending, value[1:-1] if kind == "string" else ""
            reader.pending = None
        elif kind == "open":
            if (begun := reader.open(line)) is not None:
                yield *begun, ""
        else:
            reader.punctuate(kind)


@dataclass
class _Message:
    """A message that is being read.

    Attributes:
      path: the path of its field.
      seen: the number of occurrences of each of its fields.
      listed: within a list, the name of the list's field.
    """

    path: Path
    seen: dict[str, int] = field(default_factory=dict)
    listed: str = ""


class _Reader:
    """The position of a reader in the text of a schema.

    Attributes:
      pending: a field whose value has not come yet, with its line.
    """

    def __init__(self) -> None:
        self.pending: tuple[Path, int] | None = None
        self._messages = [_Message(())]

    @property
    def expects_field(self) -> bool:
        """Whether a word is a field's name rather than a value."""
        return self.pending is None and not self._messages[-1].listed

    def begin(self, name: str, line: int) -> None:
        """Record a field's name, or another element of a field that is written as a list."""
        message = self._messages[-1]
        index = message.seen.get(name, 0)
        message.seen[name] = index + 1
        self.pending = ((*message.path, (name, index)), line)

    def open(self, line: int) -> tuple[Path, int] | None:
        """Enter a message; return its field, if it has one."""
        message = self._messages[-1]
        if message.listed and self.pending is None:
            self.begin(message.listed, line)
        begun, self.pending = self.pending, None
        self._messages.append(_Message(begun[0] if begun else message.path))
        return begun

    def punctuate(self, kind: str) -> None:
        """Leave a message, or enter or leave a list."""
        if kind == "list" and self.pending is not None:
            self._messages[-1].listed = self.pending[0][-1][0]
        elif kind in ("close", "end"):
            self.pending, self._messages[-1].listed = None, ""
            if kind == "close" and len(self._messages) > 1:
                self._messages.pop()
