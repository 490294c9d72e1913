"""Spans of a source: `{SPAN}` and `{VERSION}`, or a date, in its path, and which of them are read.

The placeholders are TFX's. A span is a number, or a day that is written as `{YYYY}`, `{MM}` and
`{DD}`; a day's number is its distance from 1970-01-01, as in TFX.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from schemas.errors import did_you_mean

SPAN, VERSION = "SPAN", "VERSION"
DATE = ("YYYY", "MM", "DD")
_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}
_NAMES = (SPAN, VERSION, *DATE)
_PLACEHOLDER = re.compile(r"\{([A-Z]+)(?::([0-9]+))?\}")
_EPOCH = datetime.date(1970, 1, 1)
_FORMS = "last 7, 12 or 10..16"
_FORMS_OF_DATES = "last 7, 2026-11-30 or 2026-11-24..2026-11-30"


@dataclass(frozen=True)
class Span:
    """A span of a source that exists.

    Attributes:
      number: the number; of a day, its distance from 1970-01-01.
      version: the newest version; None if the path has no versions.
      path: the path or pattern of its files.
      name: the number or the date, as text.
    """

    number: int
    version: int | None
    path: str
    name: str

    @property
    def label(self) -> str:
        """The name, with the version if there is one."""
        return self.name if self.version is None else f"{self.name} version {self.version}"


@dataclass(frozen=True)
class SpanChoice:
    """The spans that a run reads.

    Attributes:
      last: how many numbers, up to the newest span; None if `first` and `final` say which.
      first: the first span.
      final: the last span.
    """

    last: int | None = None
    first: int = 0
    final: int = 0


NEWEST = SpanChoice(last=1)


@dataclass(frozen=True)
class Placeholder:
    """A placeholder in a path; `digits` is 0 if there may be any number of them."""

    name: str
    digits: int


def parts(path: str) -> list[str | Placeholder]:
    """Return the texts and placeholders of a path, in turn.

    Raises:
      ValueError: a placeholder is unknown, repeated, or needs another one.

    >>> parts("day-{SPAN:2}/*.csv")
    ['day-', Placeholder(name='SPAN', digits=2), '/*.csv']
    """
    found: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(path):
        name, width = match.groups()
        if name not in _NAMES:
            raise ValueError(f"unknown placeholder {match[0]!r}; {did_you_mean(name, _NAMES)}")
        if width is not None and name in DATE:
            raise ValueError(f"{match[0]!r} has a width, but a date has its own: {{{name}}}")
        digits = _DIGITS.get(name, int(width or 0))
        before = found[-1] if found and match.start() == end else None
        if isinstance(before, Placeholder) and not before.digits:
            raise ValueError(f"{match[0]!r} follows {before.name}; give that a width: {{SPAN:2}}")
        found += [path[end : match.start()]] * (match.start() > end)
        found.append(Placeholder(name, digits))
        end = match.end()
    _check([each.name for each in found if isinstance(each, Placeholder)])
    return [*found, *[path[end:]] * (len(path) > end)]


def has_spans(path: str) -> bool:
    """Return whether a path has placeholders of spans."""
    return _PLACEHOLDER.search(path) is not None


def is_dated(path: str) -> bool:
    """Return whether the spans of a path are days."""
    return any(isinstance(part, Placeholder) and part.name in DATE for part in parts(path))


def parse_choice(text: str, *, dated: bool) -> SpanChoice:
    """Return the choice that a text means.

    Raises:
      ValueError: it means none.

    >>> parse_choice("last 7", dated=False)
    SpanChoice(last=7, first=0, final=0)
    >>> parse_choice("1970-01-02..1970-01-05", dated=True)
    SpanChoice(last=None, first=1, final=4)
    """
    text = text.strip()
    if match := re.fullmatch(r"last ([1-9][0-9]{0,5})", text):
        return SpanChoice(last=int(match[1]))
    first, dots, final = text.partition("..")
    try:
        low = _number(first.strip(), dated=dated)
        high = _number(final.strip(), dated=dated) if dots else low
    except ValueError:
        forms = _FORMS_OF_DATES if dated else _FORMS
        raise ValueError(f"expected spans such as {forms}, got {text!r}") from None
    if low > high:
        raise ValueError(f"the first span is after the last one in {text!r}")
    return SpanChoice(first=low, final=high)


def check(paths: Sequence[str], choice: str | None) -> None:
    """Check the placeholders of a source's paths, and the choice of spans.

    Raises:
      ValueError: one is wrong, or they do not fit each other.
    """
    spanned = [path for path in paths if has_spans(path)]
    if not spanned:
        if choice is not None:
            raise ValueError("spans needs {SPAN} or {YYYY}{MM}{DD} in path")
        return
    if len(paths) > 1:
        raise ValueError("a path with spans has to be the only one")
    dated = is_dated(spanned[0])
    if choice is not None:
        parse_choice(choice, dated=dated)


def name_of(number: int, *, dated: bool) -> str:
    """Return a span's name.

    >>> name_of(12, dated=False), name_of(20_787, dated=True)
    ('12', '2026-11-30')
    """
    return (_EPOCH + datetime.timedelta(number)).isoformat() if dated else str(number)


def day(year: int, month: int, of_month: int) -> int | None:
    """Return the number of a day; None if there is no such day."""
    try:
        return (datetime.date(year, month, of_month) - _EPOCH).days
    except ValueError:
        return None


def in_words(numbers: Iterable[int], *, dated: bool) -> str:
    """Return spans as a phrase, with ranges where they are consecutive.

    >>> in_words([1, 2, 3, 7], dated=False)
    '1 to 3 and 7'
    """
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    names = [" to ".join(name_of(end, dated=dated) for end in each) for each in ranges]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(text: str, *, dated: bool) -> int:
    if not dated:
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise ValueError(text)
        return int(text)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return (datetime.date.fromisoformat(text) - _EPOCH).days


def _check(names: Collection[str]) -> None:
    """Check that the placeholders of a path are complete, each once."""
    repeated = sorted({f"{{{name}}}" for name in names if list(names).count(name) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} may be in a path only once")
    date = [name for name in DATE if name in names]
    if date and SPAN in names:
        raise ValueError("a path has {SPAN} or a date, not both")
    if date and len(date) < len(DATE):
        missing = [f"{{{name}}}" for name in DATE if name not in date]
        raise ValueError(f"a date also needs {' and '.join(missing)}")
    if VERSION in names and SPAN not in names and not date:
        raise ValueError("{VERSION} needs {SPAN} or {YYYY}{MM}{DD} beside it")
