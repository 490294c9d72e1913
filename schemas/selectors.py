"""Selectors in `features:` of pipeline.yaml, and the columns that each one decides.

A key is the name of a column, a regular expression such as `/_id$/`, a type such as `number`, or
`*`. Each column follows one key: its name before a regular expression, that before a type, and `*`
last. Columns that decide the answer, the split or the weight are only taken by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from schemas.columns import Column
from schemas.derived import DerivedColumn, raw_names
from schemas.errors import ConfigError, did_you_mean
from schemas.features import Feature
from schemas.missing import Missing
from schemas.spec import Spec
from schemas.types import (
    BOOL,
    BOOL_TEXT,
    BYTES,
    FLOAT,
    FLOAT_TEXT,
    INT,
    TIME,
    TIME_TEXT,
    ColumnType,
)

ALL = "*"
LIST = "list"
OF_TYPES: dict[str, tuple[ColumnType, ...]] = {
    "number": (INT, FLOAT, FLOAT_TEXT),
    "text": (BYTES,),
    "boolean": (BOOL, BOOL_TEXT),
    "time": (TIME, TIME_TEXT),
}
NAMES = (ALL, *OF_TYPES, LIST)

_PATTERN = re.compile(r"/(.+)/")


@dataclass(frozen=True)
class Rule:
    """The key of `features:` that a column follows.

    Attributes:
      key: as pipeline.yaml has it.
      line: its line.
      skipped: why the column does not become features although the key matches it.
    """

    key: str
    line: int
    skipped: str = ""

    def place(self, where: str) -> str:
        """Return the place for an error; `where` is the path of pipeline.yaml."""
        return f"{where}:{self.line}: features.{self.key}"


def select(
    spec: Spec,
    columns: tuple[Column, ...],
    derived: tuple[DerivedColumn, ...],
    lines: Mapping[str, int],
    *,
    where: str,
) -> tuple[Spec, dict[str, Rule]]:
    """Put columns in the place of selectors.

    Features keep the order of their keys in pipeline.yaml, and of the columns in schema.pbtxt where
    several follow one key.

    Args:
      spec: pipeline.yaml.
      columns: the columns of schema.pbtxt.
      derived: the derived columns of pipeline.yaml.
      lines: the line of each key of `features:`.
      where: the path of pipeline.yaml.

    Returns:
      pipeline.yaml with a feature for each column that has treatments, and the rule that each
      column follows, by its name.

    Raises:
      ConfigError: a key is not a column or a selector, or matches no column; a regular expression
        is wrong; no column is left.
    """
    every = {each.name: each for each in (*columns, *(each.column for each in derived))}
    reserved = _reserved(spec, columns, derived)
    rules: dict[str, Rule] = {}
    taken: dict[str, Feature] = {}
    for feature in sorted(spec.features, key=lambda each: _rank(each.column, every)):
        key = feature.column
        rule = Rule(key, lines.get(key, 1))
        matched = list(_matched(key, every, rule.place(where)))
        _require_match(key, matched, reserved, rule.place(where))
        for name in matched:
            if name not in rules:
                why = "" if key in every else reserved.get(name, "")
                rules[name] = Rule(key, rule.line, skipped=why)
                if not why:
                    taken[name] = feature
    features = tuple(_features(spec, every, taken, rules))
    if not features:
        raise ConfigError(
            "no column becomes a feature",
            where=f"{where}: features",
            expected="a treatment for at least one column",
            remedy="name a column or a selector with a treatment",
        )
    return spec.model_copy(update={"features": features}), rules


def select_missing(
    spec: Spec,
    columns: tuple[Column, ...],
    derived: tuple[DerivedColumn, ...],
    lines: Mapping[str, int],
    *,
    where: str,
) -> Spec:
    """Put columns in the place of selectors in `missing:`; they stand for columns of treatments.

    Args:
      spec: pipeline.yaml, after `select`.
      columns: as for `select`.
      derived: as for `select`.
      lines: the line of each key of `missing:`.
      where: as for `select`.

    Raises:
      ConfigError: as of `select`.
    """
    every = {each.name: each for each in (*columns, *(each.column for each in derived))}
    taken = {n for use in spec.uses if use.options.fills_missing for n in use.columns}
    found: dict[str, Missing] = {}
    for key in sorted(spec.missing, key=lambda each: _rank(each, every)):
        place = f"{where}:{lines.get(key, 1)}: missing.{key}"
        matched = [name for name in _matched(key, every, place) if key in every or name in taken]
        if not matched:
            raise ConfigError(
                f"the selector {key!r} matches no column that a treatment takes",
                where=place,
                remedy="correct or remove the line",
            )
        found = dict.fromkeys(matched, spec.missing[key]) | found
    return spec.model_copy(update={"missing": {n: found[n] for n in every if n in found}})


def _features(
    spec: Spec,
    every: Mapping[str, Column],
    taken: Mapping[str, Feature],
    rules: Mapping[str, Rule],
) -> Iterator[Feature]:
    """Yield a feature for each column that has treatments, in the order of the keys."""
    followers: dict[str, list[str]] = {}
    for name in every:
        if name in taken:
            followers.setdefault(rules[name].key, []).append(name)
    for feature in spec.features:
        if feature.treatments:
            for name in followers.get(feature.column, ()):
                yield Feature(column=name, treatments=feature.treatments)


def _rank(key: str, every: Mapping[str, Column]) -> int:
    """Return 0 for a name of a column, 1 for a regular expression, 2 for a type, 3 for `*`."""
    if key in every:
        return 0
    if _PATTERN.fullmatch(key):
        return 1
    return 3 if key == ALL else 2


def _matched(key: str, every: Mapping[str, Column], where: str) -> Iterable[str]:
    """Return the names of the columns that a key matches."""
    if key in every:
        return (key,)
    if key == ALL:
        return every
    if pattern := _PATTERN.fullmatch(key):
        return filter(_compiled(pattern.group(1), where).search, every)
    if key == LIST:
        return (name for name, column in every.items() if column.is_list)
    if (types := OF_TYPES.get(key)) is None:
        raise ConfigError(
            f"there is no column {key!r} in schema.pbtxt; {did_you_mean(key, (*every, *NAMES))}",
            where=where,
            expected=f"a column, /a regular expression/, or one of {', '.join(NAMES)}",
        )
    return (name for name, each in every.items() if each.type in types and not each.is_list)


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"/{pattern}/ is not a regular expression: {error}",
            where=where,
            expected="a regular expression of Python between slashes, such as /_id$/",
        ) from error


def _require_match(
    key: str, matched: Iterable[str], reserved: Mapping[str, str], where: str
) -> None:
    """Check that a selector matches a column; `reserved` names those it leaves to their names."""
    matched = list(matched)
    if matched == [key] or any(name not in reserved for name in matched):
        return
    others = "; ".join(f"{name} {reserved[name]}" for name in matched)
    raise ConfigError(
        f"the selector {key!r} matches no column" + (f" that is free: {others}" if others else ""),
        where=where,
        expected="a selector that matches a column which no other section needs",
        remedy="name the column itself to use it" if others else "correct or remove the line",
    )


def _reserved(
    spec: Spec, columns: tuple[Column, ...], derived: tuple[DerivedColumn, ...]
) -> dict[str, str]:
    """Return the columns that selectors skip, each with the reason."""
    duplicates = spec.prepare.drop_duplicates
    reasons = dict.fromkeys(spec.splits.unlike_features, "decides the split")
    reasons |= dict.fromkeys(
        _single(() if duplicates is None else duplicates.key), "tells rows apart"
    )
    reasons |= {each.name: "is not in requests" for each in columns if not each.serving}
    reasons |= dict.fromkeys(spec.label.columns, "is part of the label")
    if spec.label.weight is not None:
        reasons[spec.label.weight] = "is the weight of rows"
    hidden = {each.name for each in columns if not each.serving} | {spec.label.outcome}
    for each in derived:
        if hidden & set(raw_names(derived, [each.name])):
            reasons.setdefault(each.name, "is derived from what no request has")
    return reasons


def _single(key: tuple[str, ...]) -> tuple[str, ...]:
    """Return a key of one column; columns that tell rows apart together are like others."""
    return key if len(key) == 1 else ()
