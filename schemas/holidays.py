"""Lists of holidays: a file with a date a line, or a CSV of dates and names, to pairs of both."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import pydantic

from schemas.errors import ConfigError
from schemas.text_files import or_file, read_text

Holiday = tuple[date, str]  # the name may be ""

_MOST_BYTES = 1 << 20
_MOST = 10_000
_REMEDY = "write a date a line, such as 2024-12-25 or 2024-12-25,Christmas"


def read_holidays(path: Path) -> tuple[Holiday, ...]:
    """Return the dates of a file, each with its name, in the order of the dates.

    Empty lines, lines that begin with #, and the header `date` or `date,name` do not count.

    Raises:
      FileNotFoundError: there is no such file.
      ConfigError: a line is not a date, or a date and a name; a date is listed twice; there is no
        date, or there are too many. Names file and line.
    """
    lines: dict[date, int] = {}
    names: dict[date, str] = {}
    for line, cells in _rows(path):
        day, name = _holiday(cells, f"{path}:{line}")
        if day in lines:
            raise ConfigError(
                f"the holiday {day} is listed twice, first on line {lines[day]}",
                where=f"{path}:{line}",
                remedy="keep one of the lines; one name can stand for both",
            )
        lines[day], names[day] = line, name
    if not 0 < len(names) <= _MOST:
        raise ConfigError(
            f"{path.name} has {len(names):,} dates",
            where=str(path),
            expected=f"from 1 to {_MOST:,} holidays",
            remedy=_REMEDY,
        )
    return tuple(sorted(names.items()))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that counts."""
    lines = read_text(path, most=_MOST_BYTES).split("\n")
    is_first = True
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if not (is_first and cells[0].lower() == "date"):
            yield number, cells
        is_first = False


def _holiday(cells: list[str], where: str) -> Holiday:
    try:
        day, name = date.fromisoformat(cells[0]), (cells[1] if len(cells) > 1 else "")
    except ValueError as error:
        raise ConfigError(
            f"{cells[0]!r} is not a date",
            where=where,
            expected="year, month and day, such as 2024-12-25",
            remedy=_REMEDY,
        ) from error
    if len(cells) > 2:
        raise ConfigError(
            f"expected a date and a name, got {len(cells)} cells", where=where, remedy=_REMEDY
        )
    return day, name


# pipeline.yaml has the path of a file, relative to its own folder; stages receive the dates.
Holidays = Annotated[tuple[Holiday, ...], pydantic.BeforeValidator(or_file(read_holidays))]
