"""Options of CSV files."""

from __future__ import annotations

import codecs
from encodings.aliases import aliases
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.errors import did_you_mean
from schemas.sources.options import FileOptions
from schemas.sources.packed import packed_endings

_NOT_IN_TEXT = '\r\n"\0'
_NOT_OF_TEXT = {"base64-codec", "bz2-codec", "hex-codec", "quopri-codec", "uu-codec", "zlib-codec"}
_IN_NUMBERS = "0123456789+-eE"

_Character = Annotated[str, Field(min_length=1, max_length=1)]


class Csv(FileOptions):
    """Comma-separated text, plain or packed; with a header line, or with `names` instead."""

    endings: ClassVar[tuple[str, ...]] = packed_endings("csv", "tsv")
    has_types: ClassVar[bool] = False

    format: Literal["csv"] = "csv"
    delimiter: _Character = ","
    list_separator: Annotated[str, Field(min_length=1)] = "|"  # between the values of a list
    newlines_in_values: bool = True  # False ends a quoted value, closed or not, with its line
    header: bool = True
    names: tuple[Annotated[str, Field(min_length=1)], ...] = ()  # of the fields, without a header
    comment: str = ""  # lines that begin with it are not records; "" if there are none
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Annotated[str, Field(max_length=1)] = ""  # between groups of digits; "" for none

    @pydantic.field_validator("encoding")
    @classmethod
    def _one_of_text(cls, value: str) -> str:
        """Return the encoding's plain name."""
        names = {name.replace("_", "-") for name in aliases.values()} - _NOT_OF_TEXT
        try:
            name = codecs.lookup(value).name
            "".encode(value)  # of text, unlike base64
        except LookupError as error:
            hint = did_you_mean(value.lower(), sorted(names))
            raise ValueError(f"unknown encoding {value!r}; {hint}") from error
        return name

    @pydantic.field_validator("comment")
    @classmethod
    def _begins_a_line(cls, value: str) -> str:
        if not value.isascii() or any(each in value for each in _NOT_IN_TEXT) or value[:1] == " ":
            raise ValueError(
                f"{value!r} cannot begin a comment; expected ASCII characters without quotes and"
                " line ends, such as #"
            )
        return value

    @pydantic.field_validator("thousands")
    @classmethod
    def _not_in_a_number(cls, value: str) -> str:
        if value and value in _IN_NUMBERS + _NOT_IN_TEXT:
            raise ValueError(f"{value!r} cannot separate thousands, as numbers have it elsewhere")
        return value

    @pydantic.model_validator(mode="after")
    def _fits_together(self) -> Csv:
        if self.header and self.names:
            raise ValueError(
                "names are given, and the files have a header; set header: false, or use"
                " columns.rename to rename columns of the header"
            )
        if not self.header and not self.names:
            raise ValueError("header is false; list the names of the fields in names: [a, b, …]")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"names has {twice[0]!r} more than once")
        if self.thousands == self.decimal:
            raise ValueError(
                f"thousands and decimal are both {self.decimal!r}; set decimal to the other one of"
                " the point and the comma"
            )
        if self.comment and self.comment[0] == self.delimiter:
            raise ValueError(f"{self.comment!r} cannot begin a comment, as a delimiter begins it")
        return self
