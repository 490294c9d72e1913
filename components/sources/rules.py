"""What makes a CSV record a row: plain values from pipeline.yaml and schema.pbtxt."""

from __future__ import annotations

from dataclasses import dataclass

from components.sources.protocol import Selection
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.sources.csv import Csv


@dataclass(frozen=True)
class Dialect:
    """How records and values are told apart.

    Attributes:
      delimiter: the one byte between values.
      multiline: whether a quoted value may hold line ends.
    """

    delimiter: bytes
    multiline: bool


@dataclass(frozen=True)
class Rules:
    """What makes a record a row.

    Attributes:
      columns: the wanted columns in their order, and after them the keys.
      required: names of those that may not be missing.
      dialect: how the text is parted.
      null_values: texts that mean missing, the empty one always among them.
      trim: whether spaces around a value are dropped; those before a quote make it a character
        like others, as they do untrimmed.
    """

    columns: tuple[Column, ...]
    required: tuple[str, ...]
    dialect: Dialect
    null_values: tuple[str, ...]
    trim: bool

    @classmethod
    def of(cls, source: Csv, selection: Selection) -> Rules:
        """Return the rules of a source of which something is wanted.

        Raises:
          ConfigError: the source's delimiter cannot part values.
        """
        if not source.delimiter.isascii() or source.delimiter in '\r\n"\0':
            raise ConfigError(
                f"{source.delimiter!r} cannot be a delimiter",
                where="source.delimiter",
                expected="one ASCII character that is no quote, line end or NUL",
            )
        return cls(
            columns=selection.columns + selection.keys,
            required=selection.required,
            dialect=Dialect(source.delimiter.encode(), source.newlines_in_values),
            null_values=source.nulls,
            trim=source.trim,
        )
