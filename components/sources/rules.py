"""The rules by which a CSV record is a row: plain values from pipeline.yaml and schema.pbtxt."""

from __future__ import annotations

from dataclasses import dataclass

from components.sources.protocol import Needs, Selection
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.sources.csv import Csv


@dataclass(frozen=True)
class Dialect:
    """How records and values are separated.

    Attributes:
      delimiter: the single byte between values.
      multiline: whether quoted values may have line ends.
      header: whether the first record has the names of the columns.
      comment: what begins lines that are not records; empty if there are none.
      encoding: of the file; all bytes here are those of UTF-8.
    """

    delimiter: bytes
    multiline: bool
    header: bool = True
    comment: bytes = b""
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Rules:
    """The rules for rows.

    Attributes:
      columns: the selected columns in order, followed by the keys.
      needs: what a row needs.
      dialect: how the text is split.
      null_values: texts that mean missing in all columns, always including the empty one.
      own_nulls: for each of `columns`, the texts that mean missing in it, with those of all.
      trim: whether spaces around a value are dropped; a quote after leading spaces is an ordinary
        character in any case.
      list_separator: what is between the values of a list.
      names: those of the fields, for files without a header.
      decimal: what is before the fraction of a number.
      thousands: what may be between groups of its digits; empty for nothing.
    """

    columns: tuple[Column, ...]
    needs: Needs
    dialect: Dialect
    null_values: tuple[str, ...]
    trim: bool
    own_nulls: tuple[tuple[str, ...], ...]
    list_separator: str = "|"
    names: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""

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
            needs=selection.needs,
            dialect=Dialect(
                source.delimiter.encode(),
                source.newlines_in_values,
                source.header,
                source.comment.encode(),
                source.encoding,
            ),
            null_values=source.nulls,
            trim=source.trim,
            own_nulls=tuple(source.nulls_of(c.name) for c in selection.columns + selection.keys),
            list_separator=source.list_separator,
            names=source.names,
            decimal=source.decimal,
            thousands=source.thousands,
        )
