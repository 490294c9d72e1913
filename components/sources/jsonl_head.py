"""Reads the first lines of a file of JSON lines: whether they are, their keys, and their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.sources.byte_source import ByteSource
from components.sources.first_names import check_first_names
from components.sources.json_fields import JsonField, fields_of, find
from components.sources.json_records import encodable, loads
from components.sources.jsonl_lines import TEXT, Lines, read_lines
from components.sources.protocol import Part, Selection
from schemas.errors import DataError

_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class JsonLinesPart(Part):
    """A file of JSON lines before it is read; `ignored` has the first lines' keys.

    Attributes:
      seen: for each selected column and key, the Python type of most values in the first lines, or
        of the values in lists.
    """

    seen: tuple[type, ...]


def read_part(path: str, selection: Selection) -> JsonLinesPart:
    """Read a file's first lines; a file without any has no rows.

    Raises:
      DataError: the file cannot be read, no line is a JSON object, or no object has one of the
        columns, or it has a column in other letters only.
    """
    with ByteSource(path, TEXT) as source:
        lines = next(read_lines(source, block_bytes=_HEAD_BYTES), None)
        seen_share = source.consumed / max(source.size, 1)
    if lines is None:
        return JsonLinesPart(path, ignored=(), rows=0, text_bytes=0, seen=())
    records = objects(lines)
    if not records:
        raise _not_json_lines(lines, path)
    fields = fields_of(selection)
    ignored = _ignored(records, fields)
    keys = {key for record in records for key in record}
    absent = [f.column.name for f in fields if keys.isdisjoint((f.column.name, *f.path[:1]))]
    check_first_names(absent, ignored, read=len(fields), records="objects", name="key", where=path)
    return JsonLinesPart(
        path,
        ignored=ignored,
        rows=len(lines) / seen_share,
        text_bytes=len(lines.data) / seen_share,
        seen=tuple(_seen(records, field) for field in fields),
    )


def objects(lines: Lines) -> list[dict[str, Any]]:
    """Return the lines that are JSON objects."""
    records = []
    for at in range(len(lines)):
        try:
            record = loads(lines.record(at))
        except (ValueError, RecursionError):
            continue  # reading rejects it
        if isinstance(record, dict):
            records.append(record)
    return records


def _not_json_lines(lines: Lines, path: str) -> DataError:
    """Return the error for a file whose first lines are not JSON objects."""
    first = lines.record(0).strip()
    if first in (b"{", b"["):
        remedy = "write each object on a line of its own: jq -c . FILE > NEW-FILE"
        if first == b"[":
            remedy = remedy.replace("-c .", "-c '.[]'")
    elif b"}\r" in first:
        remedy = "end each line with LF instead of CR: tr '\\r' '\\n' < FILE > NEW-FILE"
    elif first[:1] in b"{[":
        remedy = 'write each row as a JSON object: {"column": value, …}'
    else:
        remedy = (
            "for CSV, set source.format: csv in pipeline.yaml; `skewless predict` reads it if its"
            " name ends in .csv"
        )
    return DataError(
        "the first line is not a JSON object, nor is any of the next ones"
        if len(lines) > 1
        else "the only line is not a JSON object",
        where=f"{path}:{lines.numbers[0]}",
        expected="JSON lines: an object in each line, with the columns as its keys",
        remedy=remedy,
    )


def _ignored(records: Sequence[Mapping[str, Any]], fields: Sequence[JsonField]) -> tuple[str, ...]:
    """Return the keys of objects that no column has or begins with."""
    used = {field.column.name for field in fields} | {f.path[0] for f in fields if f.path}
    ignored = dict.fromkeys(key for record in records for key in record if key not in used)
    return tuple(map(encodable, ignored))


def _seen(records: Sequence[Mapping[str, Any]], field: JsonField) -> type:
    """Return the type that most of a column's values have, NoneType without any."""
    values = (find(record, field) for record in records)
    if field.column.is_list:
        values = (each for value in values if type(value) is list for each in value)
    types = Counter(map(type, values))
    del types[type(None)]
    return types.most_common(1)[0][0] if types else type(None)
