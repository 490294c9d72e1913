"""Options of CSV files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.sources.options import FileOptions


class Csv(FileOptions):
    """Comma-separated text with a header line, plain or gzipped."""

    format: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    list_separator: Annotated[str, Field(min_length=1)] = "|"  # between the values of a list
    newlines_in_values: bool = True  # False ends a quoted value, closed or not, with its line
