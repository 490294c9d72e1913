"""Options of files of JSON lines."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions
from schemas.sources.packed import packed_endings


class JsonLines(FileOptions):
    """A JSON object in each line, plain or packed; `null_values` and `trim` apply to text.

    A column is a key of the objects. A name with dots is a path into nested objects: `a.b` is the
    key `b` of the object `a`, unless the record itself has a key `a.b`.
    """

    endings: ClassVar[tuple[str, ...]] = packed_endings("jsonl", "ndjson", "json")
    has_header: ClassVar[bool] = False

    format: Literal["jsonl"] = "jsonl"
