"""Options of Parquet files."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions


class Parquet(FileOptions):
    """Parquet files; `null_values` and `trim` apply to columns of text."""

    endings: ClassVar[tuple[str, ...]] = (".parquet",)

    format: Literal["parquet"] = "parquet"
