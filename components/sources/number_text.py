"""Reads numbers that are written with a decimal comma, or with separators between thousands."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.sources.cells import Cells, convert, without
from components.sources.rejects import RejectReason
from schemas.columns import Column
from schemas.types import FLOAT, FLOAT_TEXT, INT

_REASONS = {
    INT.name: RejectReason.NOT_AN_INTEGER,
    FLOAT.name: RejectReason.NOT_A_NUMBER,
    FLOAT_TEXT.name: RejectReason.NOT_A_NUMBER,
}

_MOST = 0.9  # the share of numbers in a column of numbers


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written.

    Attributes:
      decimal: the character before the fraction.
      thousands: the character between groups of three digits, which a number need not have; empty
        if there is none.
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as everywhere else."""
        return self.decimal == "." and not self.thousands

    def read(self, text: pa.Array, column: Column) -> Cells:
        """Convert text to the type of a column; in those of other types it is taken as it is.

        >>> prices = pa.array(["1.234,5", "1234,5", "1.23,4", "1.5"])
        >>> NumberFormat(",", ".").read(prices, Column("x", "FLOAT", True)).values.to_pylist()
        [1234.5, 1234.5, None, None]
        """
        if self.is_plain or column.kind not in _REASONS:
            return convert(text, column)
        wrong = pc.invert(pc.match_substring_regex(text, self._pattern)).fill_null(False)
        odd = wrong.to_numpy(zero_copy_only=False)
        cells = convert(self._plain(without(text, odd)), column)
        nul = pc.match_substring(text, "\0").fill_null(False).to_numpy(zero_copy_only=False)
        reasons = np.where(odd, np.uint8(_REASONS[column.kind]), cells.reasons)
        reasons[nul] = RejectReason.CONTAINS_NUL
        return Cells(cells.values, reasons)

    def plain(self, text: pa.Array) -> pa.Array:
        """Return the numbers of a text column as they are written everywhere else.

        A column of which few values are numbers stays as it is, and so do values that are none.
        """
        numbers = pc.match_substring_regex(text, self._pattern).fill_null(False)
        is_number = numbers.to_numpy(zero_copy_only=False)
        known = len(text) - text.null_count
        if self.is_plain or is_number.sum() < _MOST * known:
            return text
        rows = np.arange(len(text))
        both = pa.concat_arrays([text, self._plain(text)])
        return both.take(pa.array(np.where(is_number, rows + len(text), rows)))

    @property
    def _pattern(self) -> str:
        """A regular expression of everything that may be a number, once it is plain."""
        whole = "[0-9]*"
        if self.thousands:
            whole = f"(?:{whole}|[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+)"
        fraction = f"(?:{re.escape(self.decimal)}[0-9]*)?"
        return f"^[+-]?(?:{whole}{fraction}(?:[eE][+-]?[0-9]+)?|(?i:nan|inf|infinity))$"

    def _plain(self, text: pa.Array) -> pa.Array:
        if self.thousands:
            text = pc.replace_substring(text, self.thousands, "")
        return pc.replace_substring(text, self.decimal, ".")
