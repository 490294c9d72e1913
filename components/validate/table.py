"""Rows of text → an aligned plain table that fits a terminal, cells wrapped rather than cut."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_MORE = "…"


def render(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widths: Sequence[int],
    max_lines: int = 4,
    indent: str = "  ",
) -> str:
    """Return the table as lines.

    Args:
      header: a title for every column.
      rows: the cells; line breaks and other controls in them are shown escaped.
      widths: the most characters a column may take; longer cells go on in the next line. A word
        that is longer by itself (a name that is to be searched for) is kept whole.
      max_lines: lines of a cell at most; `…` stands for the rest.
      indent: what each line begins with.
    """
    cells = [
        [_wrap(cell, width, max_lines) for cell, width in zip(row, widths, strict=True)]
        for row in (header, *rows)
    ]
    actual = [max(len(line) for row in cells for line in row[i]) for i in range(len(header))]
    lines = []
    for row in cells:
        for i in range(max(map(len, row))):
            parts = [
                (cell[i] if i < len(cell) else "").ljust(width)
                for cell, width in zip(row, actual, strict=True)
            ]
            lines.append((indent + "  ".join(parts)).rstrip())
    return "\n".join(lines)


def _wrap(text: str, width: int, max_lines: int) -> list[str]:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    lines = textwrap.wrap(shown, width, break_long_words=False, break_on_hyphens=False) or [""]
    if len(lines) > max_lines:
        lines = [*lines[: max_lines - 1], f"{lines[max_lines - 1]} {_MORE}"]
    return lines
