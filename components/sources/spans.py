"""Finds the spans of a source that exist, each in its newest version, and chooses some of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from components import files
from schemas import spans
from schemas.errors import DataError
from schemas.spans import Placeholder, Span, SpanChoice

_WILD = re.compile(r"\*\*/|\*\*|\*|\?|\[[^]]+\]")
_AS_EXPRESSION = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}


def existing(path: str) -> dict[int, Span]:
    """Return the spans that have files, by number, in order; of each, the newest version.

    Args:
      path: a path or pattern with placeholders. It may name a folder for each span.

    Raises:
      DataError: the paths of one span are written in two ways, such as 1 and 01.
      StoreError: the store does not answer, or refuses.
    """
    pattern = "".join(_as_pattern(part) for part in spans.parts(path))
    expression = re.compile("".join(map(_as_expression, spans.parts(path))) + "(?:/.*)?", re.DOTALL)
    found: dict[int, Span] = {}
    for entry in files.find(pattern) or files.find(f"{pattern}/**"):
        match = expression.fullmatch(entry.path)
        span = None if match is None else _span(path, match.groupdict())
        if span is None:
            continue
        other = found.setdefault(span.number, span)
        if (other.version or 0) < (span.version or 0):
            found[span.number] = span
        elif other.version == span.version and other.path != span.path:
            raise DataError(
                f"two paths are span {span.label}",
                where=f"{other.path} and {span.path}",
                expected="one path for each span",
                remedy="rename one, or give the placeholder a width in source.path: {SPAN:2}",
            )
    return dict(sorted(found.items()))


def chosen(found: Mapping[int, Span], choice: SpanChoice, path: str) -> tuple[Span, ...]:
    """Return the spans that a run reads, in order.

    Args:
      found: the spans that exist.
      choice: which of them to read.
      path: the path with placeholders.

    Raises:
      DataError: there are no spans, or the first or the last one of the choice does not exist.
    """
    dated = spans.is_dated(path)
    if not found:
        raise DataError(
            f"no file matches {path!r}",
            where=path,
            expected=f"at least one file, with a {'date' if dated else 'number'} in its path",
            remedy="correct source.path, or wait for the first span",
        )
    first, final = choice.first, choice.final
    if choice.last is not None:
        final = max(found)
        first = final - choice.last + 1
    elif missing := sorted({first, final} - found.keys()):
        one = len(found) == 1
        raise DataError(
            f"span{'s' * (not one)} {spans.in_words(found, dated=dated)} exist{'s' * one};"
            f" {spans.in_words(missing, dated=dated)} do{'es' * (len(missing) == 1)} not",
            where=path,
            remedy="choose spans that exist, or wait for their files",
        )
    return tuple(span for number, span in found.items() if first <= number <= final)


def _as_pattern(part: str | Placeholder) -> str:
    if isinstance(part, str):
        return part
    return "[0-9]" * part.digits or "*"


def _as_expression(part: str | Placeholder) -> str:
    """Return a part of a path as a regular expression, with a group for a placeholder."""
    if isinstance(part, Placeholder):
        return f"(?P<{part.name}>[0-9]{{{part.digits or '1,18'}}})"
    texts, wild = _WILD.split(part), _WILD.findall(part)
    between = [_AS_EXPRESSION.get(each, "[^/]") for each in wild]
    return "".join(re.escape(t) + w for t, w in zip(texts, [*between, ""], strict=True))


def _span(path: str, written: Mapping[str, str]) -> Span | None:
    """Return the span of a file's path; None if its date does not exist.

    Args:
      path: the path with placeholders.
      written: the text of each placeholder.
    """
    dated = spans.SPAN not in written
    number = int(written[spans.SPAN]) if not dated else _day([written[n] for n in spans.DATE])
    if number is None:
        return None
    version = written.get(spans.VERSION)
    own = "".join(p if isinstance(p, str) else written[p.name] for p in spans.parts(path))
    name = spans.name_of(number, dated=dated)
    return Span(number, None if version is None else int(version), own, name)


def _day(texts: Sequence[str]) -> int | None:
    year, month, of_month = map(int, texts)
    return spans.day(year, month, of_month)
