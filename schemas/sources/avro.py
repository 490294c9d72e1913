"""Options of Avro files."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions


class Avro(FileOptions):
    """Avro files; `null_values` and `trim` apply to columns of text.

    A column is a field of the records. A name with dots is a path into nested records: `a.b` is the
    field `b` of the record `a`.
    """

    endings: ClassVar[tuple[str, ...]] = (".avro",)

    format: Literal["avro"] = "avro"
