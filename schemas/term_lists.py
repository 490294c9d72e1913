"""Terms of a vocabulary that a person gives: a list, or a file with a term a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic

from schemas.errors import ConfigError
from schemas.text_files import or_file, read_text

_MOST_BYTES = 1 << 26
_LINE_BREAKS = ("\n", "\r")


def read_terms(path: Path) -> tuple[str, ...]:
    """Return the lines of a file, as they are; empty ones do not count.

    Raises:
      FileNotFoundError: there is no such file.
      ConfigError: a term is listed twice, or there is none; names file and line.
    """
    lines: dict[str, int] = {}
    text = read_text(path, most=_MOST_BYTES)
    for number, term in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if term in lines:
            raise ConfigError(
                f"the term {term!r} is listed twice, first on line {lines[term]}",
                where=f"{path}:{number}",
                remedy="remove one of the lines",
            )
        if term:
            lines[term] = number
    if not lines:
        raise ConfigError("the file has no terms", where=str(path), expected="a term a line")
    return tuple(lines)


def _checked(terms: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    for term in terms:
        if not term or any(each in term for each in _LINE_BREAKS):
            raise ValueError(f"{term!r} cannot be a term: it is empty or has a line break")
        if term in seen:
            raise ValueError(f"the term {term!r} is listed twice")
        seen.add(term)
    return terms


# pipeline.yaml has the terms, or the path of a file, relative to its own folder; stages receive
# the terms.
TermList = Annotated[
    tuple[str, ...],
    pydantic.BeforeValidator(or_file(read_terms)),
    pydantic.AfterValidator(_checked),
]
