"""The formats of times: units of numbers, and the directives of `time_domain.string_format`.

A format becomes one regular expression, which RE2 (Arrow and TensorFlow) and Python's `re` read
alike. Its groups are the fields of a time; `components.calendar` makes a time of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

# By IntegerTimeFormat of a time_domain: microseconds of a unit.
UNITS = {
    "UNIX_DAYS": 86_400_000_000,
    "UNIX_SECONDS": 1_000_000,
    "UNIX_MILLISECONDS": 1_000,
    "UNIX_MICROSECONDS": 1,
}

# A name's place is the number that it stands for; there is no month 0.
MONTHS = (
    *("", "january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
HALVES = ("am", "pm")
_SHORT_MONTHS = tuple(month[:3] for month in MONTHS)

SIGN, FRACTION = "sign", "fraction"
_ZONE = (SIGN, "zone_hour", "zone_minute")
_DIGITS = "[0-9]{2}"


@dataclass(frozen=True)
class Directive:
    """A directive of a format.

    Attributes:
      field: what it says of a time.
      digits: how many digits it has; none for names and zones.
      padded: whether it always has all of them; otherwise leading zeros may be left out.
      names: of a field that is written as a name, in lower case.
    """

    field: str
    digits: int = 0
    padded: bool = False
    names: tuple[str, ...] = ()


DIRECTIVES = {
    "Y": Directive("year", 4, padded=True),
    "y": Directive("short_year", 2, padded=True),
    "m": Directive("month", 2),
    "b": Directive("month", names=_SHORT_MONTHS),
    "B": Directive("month", names=MONTHS),
    "d": Directive("day", 2),
    "j": Directive("day_of_year", 3),
    "H": Directive("hour", 2),
    "I": Directive("hour12", 2),
    "p": Directive("half", names=HALVES),
    "M": Directive("minute", 2),
    "S": Directive("second", 2),
    "f": Directive(FRACTION, 6),
    "z": Directive("zone"),
}
# Of each field, those of which one has to be there, too.
_NEEDS = {
    "month": ("year", "short_year"),
    "day_of_year": ("year", "short_year"),
    "day": ("month",),
    "hour": ("day", "day_of_year"),
    "hour12": ("day", "day_of_year"),
    "half": ("hour12",),
    "minute": ("hour", "hour12"),
    "second": ("minute",),
    FRACTION: ("second",),
    "zone": ("hour", "hour12"),
}
# Fields of which a format has only one.
_ALTERNATIVES = (
    ("year", "short_year"),
    ("month", "day_of_year"),
    ("hour", "hour12"),
)


@dataclass(frozen=True)
class TimeFormat:
    """A format of times as text.

    Attributes:
      text: as it is written.
      parts: its literal texts and directives, in order.
    """

    text: str
    parts: tuple[str | Directive, ...]

    @classmethod
    def of(cls, text: str) -> TimeFormat:
        """Return a format.

        Raises:
          ValueError: it has an unsupported directive, or does not say when a time is.
        """
        parts = tuple(_parts(text))
        fields = [part.field for part in parts if isinstance(part, Directive)]
        for field in fields:
            if fields.count(field) > 1:
                raise ValueError(f"the format {text!r} has two directives for the {_words(field)}")
        for one, other in _ALTERNATIVES:
            if one in fields and other in fields:
                raise ValueError(
                    f"the format {text!r} has directives for both {_words(one)} and {_words(other)}"
                )
        if not {"year", "short_year"} & set(fields):
            raise ValueError(f"the format {text!r} has no year, which is %Y or %y")
        if "hour12" in fields and "half" not in fields:
            raise ValueError(f"the format {text!r} has %I without %p")
        for field in fields:
            needed = _NEEDS.get(field)
            if needed and not set(needed) & set(fields):
                raise ValueError(
                    f"the format {text!r} has a directive for the {_words(field)}, and none for the"
                    f" {' or '.join(map(_words, needed))}"
                )
        return cls(text, parts)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The fields that are read as whole numbers, in the order of their groups."""
        fields: list[str] = []
        for part in self.parts:
            if isinstance(part, Directive) and not part.names:
                fields += _ZONE if part.field == "zone" else (part.field,)
        return tuple(fields)

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The fields that are read as names, each with the names."""
        directives = (part for part in self.parts if isinstance(part, Directive))
        return {part.field: part.names for part in directives if part.names}

    def pattern(self, groups: Collection[str] = (), *, named: bool = False) -> str:
        """Return the regular expression of a whole text in this format, without anchors.

        Args:
          groups: the fields that become groups; other ones do not.
          named: whether the groups have the names of their fields.
        """

        def group(field: str, inner: str) -> str:
            if field not in groups:
                return f"(?:{inner})"
            return f"(?P<{field}>{inner})" if named else f"({inner})"

        return "".join(
            _escaped(part) if isinstance(part, str) else self._pattern(number, part, group)
            for number, part in enumerate(self.parts)
        )

    def _pattern(self, number: int, part: Directive, group: Callable[[str, str], str]) -> str:
        if part.names:
            return group(part.field, "|".join(map(_any_case, filter(None, part.names))))
        if part.field == "zone":
            sign, hours, minutes = (
                group(SIGN, "-"),
                group("zone_hour", _DIGITS),
                group("zone_minute", _DIGITS),
            )
            return rf"(?:Z|(?:\+|{sign}){hours}:?{minutes})"
        beside = self.parts[max(number - 1, 0) : number] + self.parts[number + 1 : number + 2]
        # Beside another number, only leading zeros show where this one ends.
        full = part.padded or any(_is_number(each) for each in beside)
        digits = f"{{{part.digits}}}" if full else f"{{1,{part.digits}}}"
        return group(part.field, f"[0-9]{digits}")


def _parts(text: str) -> Iterator[str | Directive]:
    """Yield the literal texts and directives of a format."""
    at, literal = 0, ""
    while at < len(text):
        if text[at] != "%":
            literal += text[at]
            at += 1
            continue
        letter = text[at + 1 : at + 2]
        at += 2
        if letter == "%":
            literal += letter
            continue
        if letter not in DIRECTIVES:
            raise ValueError(
                f"the format {text!r} has the directive {'%' + letter!r}; "
                + _REMEDIES.get(letter, f"the supported ones are {_SUPPORTED}")
            )
        if literal:
            yield literal
            literal = ""
        yield DIRECTIVES[letter]
    if literal:
        yield literal


_SUPPORTED = ", ".join(f"%{letter}" for letter in (*DIRECTIVES, "%"))
_REMEDIES = {"T": "write %H:%M:%S", "F": "write %Y-%m-%d", "D": "write %m/%d/%y", "": "write %%"}


def _words(field: str) -> str:
    return field.replace("_", " ").replace("hour12", "hour from 1 to 12")


def _is_number(part: str | Directive) -> bool:
    """Whether a part may have digits."""
    if isinstance(part, str):
        return any("0" <= character <= "9" for character in part)
    return not part.names and part.field != "zone"


def _escaped(text: str) -> str:
    return re.sub(r"[!-/:-@\[-^`{-~]", r"\\\g<0>", text)


def _any_case(name: str) -> str:
    """Return a pattern of a name in any case: `(?i)` would also read letters beyond ASCII."""
    return "".join(f"[{letter.upper()}{letter}]" for letter in name)
