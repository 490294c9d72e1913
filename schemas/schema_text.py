"""Edits the text of a schema.pbtxt where it stands: comments and formatting stay as they are.

protobuf's own writer would drop both. The text must parse; `schemas.columns` checks that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.schema_lines import TOKEN


@dataclass
class Field:
    """A field in the text, by positions in it.

    Attributes:
      name: its name.
      start: where its name starts, or, in a list such as `value: ["a", "b"]`, its value.
      at: where its value starts.
      end: where its value ends.
      listed: whether it stands in a list.
      fields: the fields of a message, in order.
    """

    name: str
    start: int
    at: int
    end: int
    listed: bool = False
    fields: list[Field] = field(default_factory=list)
    _list: str = ""  # while it is read: the field whose list is open

    def all(self, name: str) -> list[Field]:
        """Return the fields of this name."""
        return [each for each in self.fields if each.name == name]

    def find(self, *path: str) -> Field | None:
        """Return the first field at the end of a path of names; None if there is none."""
        found: Field | None = self
        for name in path:
            found = next(iter(found.all(name)), None) if found is not None else None
        return found


@dataclass(frozen=True)
class Edit:
    """A change of the text: what replaces a span of it, or values that a message gets.

    Attributes:
      start: where the span starts.
      end: where it ends.
      text: what replaces it.
      message: instead of a span, the message that gets more fields `value`.
      values: these, as they are to be written.
    """

    start: int = 0
    end: int = 0
    text: str = ""
    message: Field | None = None
    values: tuple[str, ...] = ()


def fields_of(text: str) -> Field:
    """Return the whole text as a message of its fields."""
    open_messages = [Field("", 0, 0, len(text))]
    pending: tuple[str, int] | None = None
    for token in TOKEN.finditer(text):
        kind, message = token.lastgroup, open_messages[-1]
        if kind == "word" and pending is None and not message._list:
            pending = token.group(), token.start()
        elif kind in ("word", "number", "string", "open"):
            name, start = pending or (message._list, token.start())
            value = Field(name, start, token.start(), token.end(), listed=pending is None)
            message.fields.append(value)
            pending = None
            if kind == "open":
                open_messages.append(value)
        elif kind == "list" and pending is not None:
            message._list, pending = pending[0], None
        elif kind == "end":
            message._list = ""
        elif kind == "close" and len(open_messages) > 1:
            open_messages.pop().end = token.end()
    return open_messages[0]


def set_value(value: Field, new: str) -> Edit:
    """Return the edit that gives a field another value."""
    return Edit(value.at, value.end, new)


def set_field(old: Field, new: str) -> Edit:
    """Return the edit that puts another field in the place of one."""
    return Edit(old.start, old.end, new)


def append_field(text: str, new: str) -> Edit:
    """Return the edit that writes a top-level field of several lines after the last feature."""
    features = fields_of(text).all("feature")
    last = next((each for each in reversed(features) if not each.listed), None)
    at = len(text) if last is None else _line_end(text, last.end)
    newline = _newline(text)
    return Edit(at, at, newline + new.rstrip("\n").replace("\n", newline))


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits, which do not overlap, made."""
    edits = list(edits)
    spans = [edit for edit in edits if edit.message is None]
    added: dict[int, list[Edit]] = {}
    for edit in edits:
        if edit.message is not None:
            added.setdefault(edit.message.start, []).append(edit)
    for group in added.values():  # columns may share a domain
        values = dict.fromkeys(value for edit in group for value in edit.values)
        assert group[0].message is not None
        spans.append(_with_values(text, group[0].message, list(values)))
    for edit in sorted(spans, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _with_values(text: str, message: Field, values: Sequence[str]) -> Edit:
    """Return the edit that writes values behind the last one, in lines of their own if it is."""
    last = message.all("value")[-1]
    if last.listed:
        return Edit(last.end, last.end, "".join(f", {value}" for value in values))
    indent = text[text.rfind("\n", 0, last.start) + 1 : last.start]
    if indent.strip():
        return Edit(last.end, last.end, "".join(f" value: {value}" for value in values))
    at = _line_end(text, last.end)
    return Edit(at, at, "".join(f"{_newline(text)}{indent}value: {value}" for value in values))


def _line_end(text: str, position: int) -> int:
    """Return where the line ends, if only a comment follows the position, or else the position."""
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    rest = text[position:end]
    if rest.strip() and not rest.lstrip().startswith("#"):
        return position
    return end - 1 if rest.endswith("\r") else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
