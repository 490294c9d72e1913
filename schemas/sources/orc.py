"""Options of ORC files."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions


class Orc(FileOptions):
    """ORC files; `null_values` and `trim` apply to columns of text."""

    endings: ClassVar[tuple[str, ...]] = (".orc",)

    format: Literal["orc"] = "orc"
