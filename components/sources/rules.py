"""The rules by which a CSV record is a row: plain values from pipeline.yaml and schema.pbtxt."""

from __future__ import annotations

from dataclasses import dataclass

from components.sources.protocol import Selection
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.sources.csv import Csv


@dataclass(frozen=True)
class Dialect:
    """How records and values are separated.

    Attributes:
      delimiter: the single byte between values.
      multiline: whether quoted values may have line ends.
    """

    delimiter: bytes
    multiline: bool


@dataclass(frozen=True)
class Rules:
    """The rules for rows.

    Attributes:
      columns: the selected columns in order, followed by the keys.
      required: names of columns that must not be missing.
      dialect: how the text is split.
      null_values: texts that mean missing, always including the empty one.
      weight: the column with the rows' weights; None if there is none.
      trim: whether spaces around a value are dropped; a quote after leading spaces is an ordinary
        character in any case.
    """

    columns: tuple[Column, ...]
    required: tuple[str, ...]
    dialect: Dialect
    null_values: tuple[str, ...]
    trim: bool
    weight: str | None = None

    @classmethod
    def of(cls, source: Csv, selection: Selection) -> Rules:
        """Return the rules for a source and a selection.

        Raises:
          ConfigError: the source's delimiter is not possible.
        """
        if not source.delimiter.isascii() or source.delimiter in '\r\n"\0':
            raise ConfigError(
                f"{source.delimiter!r} cannot be a delimiter",
                where="source.delimiter",
                expected="one ASCII character other than a quote, line end or NUL",
            )
        return cls(
            columns=selection.columns + selection.keys,
            required=selection.required,
            dialect=Dialect(source.delimiter.encode(), source.newlines_in_values),
            null_values=source.nulls,
            trim=source.trim,
            weight=selection.weight,
        )
