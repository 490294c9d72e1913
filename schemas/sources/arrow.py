"""Options of Arrow files."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions


class Arrow(FileOptions):
    """Arrow IPC files, such as Feather; `null_values` and `trim` apply to columns of text."""

    endings: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")

    format: Literal["arrow"] = "arrow"
