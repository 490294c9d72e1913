"""Errors for users: what is wrong, where, what was expected and what to do about it.

Every expected error is a `SkewlessError`; the command prints it without a traceback and exits with
its `exit_code`. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, TypeVar

from schemas.secrets import redacted

AnyError = TypeVar("AnyError", bound="SkewlessError")


class SkewlessError(Exception):
    """A failure that the user can do something about; its texts have no secrets in them.

    Args:
      what: one sentence that names the problem and the wrong value.
      where: the file, line, row, column or stage.
      expected: what is correct instead.
      remedy: what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = redacted(what)
        self.where = where and redacted(where)
        self.expected = expected and redacted(expected)
        self.remedy = remedy and redacted(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.what]
        for name, label in _LABELS.items():
            if text := getattr(self, name):
                lines.append(f"  {label + ':':<10} {text}")
        return "\n".join(lines)

    def at(self: AnyError, where: str) -> AnyError:
        """Return the same error with another place."""
        return type(self)(self.what, where=where, expected=self.expected, remedy=self.remedy)

    @classmethod
    def parse(cls, text: str) -> SkewlessError:
        r"""Return the error with this text; anything after it is ignored.

        >>> SkewlessError.parse("it is so\n  to do:     this\n\tat java").remedy
        'this'
        """
        what, *lines = text.splitlines()
        parts = {}
        for line in lines:
            label, _, part = line.strip().partition(":")
            name = next((n for n, known in _LABELS.items() if known == label), None)
            if name is None:
                break
            parts[name] = part.strip()
        return cls(what, **parts)


_LABELS = {"where": "where", "expected": "expected", "remedy": "to do"}


class ConfigError(SkewlessError):
    """pipeline.yaml, schema.pbtxt or the command line has an invalid setting."""

    exit_code = 2


class DataError(SkewlessError):
    """The data cannot be read or written, or a gate refused it."""

    exit_code = 3


class StoreError(SkewlessError):
    """An object store does not answer, or refuses a request."""


class ModelError(SkewlessError):
    """The model was not blessed, or serving would differ from what training computed."""

    exit_code = 4


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the nearest known word, or the list of all known ones.

    >>> did_you_mean("tax", ["taxi", "census"])
    "did you mean 'taxi'?"
    >>> did_you_mean("ID", ["id", "fare"])
    "did you mean 'id'?"
    >>> did_you_mean("zzz", ["taxi", "census"])
    'one of: census, taxi'
    """
    known = sorted(known)
    # A much longer word than all known ones resembles none, and takes seconds to compare.
    longest = 4 * max(map(len, known), default=0)
    word = word[: longest + 1]
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.casefold(), each)
    near = [folded[word.casefold()]] if word.casefold() in folded else []
    near = near or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    near = near or [
        folded[each] for each in difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    ]
    return f"did you mean {near[0]!r}?" if near else "one of: " + (", ".join(known) or "(none)")
