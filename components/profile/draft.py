"""Describes a whole table: its label, what each column becomes, and how rows are identified."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from components.profile.association import codes_of
from components.profile.choices import ColumnChoice, choose
from components.profile.label import Label, label_of
from components.profile.moments import with_times
from components.profile.places import with_places
from components.profile.table import Table
from components.profile.times import in_order
from components.profile.types import Typed, typed
from schemas.errors import ConfigError, did_you_mean

_MOST_KEYS = 12
_TEST_SHARE = 0.15
_MANY = 500  # rows of a class, of which each split has enough by chance
# The share of the label that a column explains, from which on it is asked about: if it is most of
# the label, or so many times what the next column explains.
_MOST, _APART, _TIMES = 0.5, 0.1, 2


@dataclass(frozen=True)
class DraftSplit:
    """How rows are split.

    Attributes:
      by: the kind.
      columns: the columns that decide.
      reason: why these.
      strata: the column whose values have the shares each, or "".
      eval: the name of the file of eval, or "".
      test: the name of the file of test, or "".
      may_repeat: whether different rows may have the same values of the columns by chance.
    """

    by: str
    columns: tuple[str, ...]
    reason: str
    strata: str = ""
    eval: str = ""
    test: str = ""
    may_repeat: bool = False


@dataclass(frozen=True)
class Draft:
    """What a table is, and what a run makes of it.

    Attributes:
      table: the look at it.
      label: what is predicted.
      choices: what each other column becomes, in the order of the table.
      nulls: by column, the texts that mean missing, of those that have some.
      split: how rows are split.
    """

    table: Table
    label: Label
    choices: tuple[ColumnChoice, ...]
    nulls: dict[str, tuple[str, ...]]
    split: DraftSplit

    @property
    def features(self) -> tuple[ColumnChoice, ...]:
        """The columns that the model receives."""
        return tuple(choice for choice in self.choices if choice.treatments)

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that schema.pbtxt has, in the order of the table; the label is the last."""
        names = (c.name for c in self.choices if c.treatments or c.name in self.split.columns)
        return (*names, self.label.typed.column.name)

    @property
    def left_out(self) -> tuple[ColumnChoice, ...]:
        """The other ones."""
        return tuple(choice for choice in self.choices if not choice.treatments)

    def of_files(self, paths: Sequence[str], *, has_eval: bool) -> Draft:
        """Return a draft of which test, and eval if there are two paths, are other files."""
        *others, test = (os.path.basename(path) for path in paths)
        split = replace(
            self.split,
            by="file",
            columns=() if has_eval else self.split.columns,
            reason="as the files are given",
            eval=others[0] if has_eval else "",
            test=test,
        )
        return replace(self, split=split)

    @property
    def test_counts(self) -> list[float]:
        """About how many rows of each of the label's values the test split has, descending."""
        counts: list[float] = (self.label.typed.column.counts[1] * _TEST_SHARE).tolist()
        return counts

    @property
    def rejected(self) -> float:
        """The share of the rows that a run rejects: they have no label, or a value does not fit."""
        used = {choice.name for choice in self.features} | set(self.split.columns)
        strays = sum(choice.typed.stray for choice in self.choices if choice.name in used)
        return (self.label.typed.column.missing + strays) / self.table.rows


def draft(table: Table, label: str, task: str | None = None, others: Sequence[Table] = ()) -> Draft:
    """Decide everything about a table.

    Args:
      table: the look at it.
      label: the column to predict.
      task: the task, if the user names it.
      others: looks at the files of eval and test.

    Raises:
      ConfigError: there is no such column, or the task does not fit it.
      DataError: there is nothing to learn.
    """
    names = [column.name for column in table.columns]
    if label not in names:
        raise ConfigError(
            f"there is no column {label!r}; {did_you_mean(label, names)}",
            where="--label",
            expected=f"one of: {', '.join(names)}",
        )
    types = {each.name: typed(each, whole=table.whole) for each in table.columns}
    types[label] = _without_words(types, table, label)
    decided = label_of(types[label], task, _only_in(others, table, label, types[label].nulls))
    known = types[label].column.array.is_valid()
    codes = codes_of(_filtered(types[label], known))
    choices = tuple(
        choose(_filtered(each, known), codes) for name, each in types.items() if name != label
    )
    if not any(choice.treatments for choice in choices):
        reasons = "; ".join(f"{choice.name}: {choice.reason}" for choice in choices[:10])
        raise ConfigError(
            "there is no column to predict from",
            expected="at least one column besides the label that a request can have",
            remedy=f"what was seen: {reasons or 'the label is the only column'}",
        )
    choices = with_times(with_places(_doubted(_without_twins(choices))))
    nulls = {name: each.nulls for name, each in types.items() if each.nulls}
    return Draft(table, decided, choices, nulls, _split(choices, decided))


def _without_words(types: Mapping[str, Typed], table: Table, label: str) -> Typed:
    """Return the label without the other columns' words for missing, which are not a class."""
    own = types[label].nulls
    words = {text: None for each in types.values() for text in each.nulls if text not in own}
    column = next(each for each in table.columns if each.name == label)
    if not (words and column.is_text):
        return types[label]
    present = set(column.top(column.distinct))
    nulls = (*own, *(text for text in words if text in present))
    return replace(typed(column.without(nulls), whole=table.whole), nulls=nulls)


def _only_in(tables: Sequence[Table], first: Table, name: str, nulls: Sequence[str]) -> list[str]:
    """Return the texts of the label that these tables have and the first one does not.

    Raises:
      ConfigError: a table has no such column.
    """
    if not tables:
        return []
    label = next(column for column in first.columns if column.name == name).without(nulls)
    known, found = set(label.top(label.distinct)), dict[str, None]()
    for table in tables:
        own = next((c for c in table.columns if c.name == name), None)
        if own is None:
            raise ConfigError(
                f"there is no column {name!r} in {', '.join(table.source.paths)}",
                expected="the columns of the table in the files of eval and test, too",
            )
        if own.is_text:
            own = own.without(nulls)
            found |= dict.fromkeys(text for text in own.top(own.distinct) if text not in known)
    return list(found)


def _filtered(column: Typed, rows: pa.Array) -> Typed:
    return replace(column, column=replace(column.column, array=column.column.array.filter(rows)))


def _without_twins(choices: tuple[ColumnChoice, ...]) -> tuple[ColumnChoice, ...]:
    """Leave out columns that have the values of an earlier one in every row.

    A number that has those of a text stays, because its values have an order.
    """
    first: dict[bytes, ColumnChoice] = {}
    kept = []
    for choice in choices:
        if choice.treatments and choice.typed.nature != "list":
            codes = choice.typed.column.array.dictionary_encode().indices
            twin = first.setdefault(codes.fill_null(-1).to_numpy().tobytes(), choice)
            ordered = choice.typed.nature == "number" and twin.typed.nature == "text"
            if twin is not choice and choice.typed.column.distinct > 2 and not ordered:
                reason = f"it separates the rows exactly as {twin.name!r} does"
                choice = replace(choice, treatments=(), reason=reason)
        kept.append(choice)
    return tuple(kept)


def _doubted(choices: tuple[ColumnChoice, ...]) -> tuple[ColumnChoice, ...]:
    """Ask about columns that explain most of the label, or far more of it than any other.

    Such a column is often known only with the outcome, as a call's duration or a flight's delay is.
    """
    shares = sorted(choice.explained for choice in choices if choice.treatments)
    following = shares[-2] if len(shares) > 1 else 0.0
    least = min(_MOST, max(_APART, _TIMES * following))
    return tuple(
        replace(choice, doubt="; ".join(filter(None, (choice.doubt, _dominates(choice)))))
        if choice.treatments and choice.explained >= least
        else choice
        for choice in choices
    )


def _dominates(choice: ColumnChoice) -> str:
    share = f"it explains {choice.explained:.0%} of the label"
    return f"{share}: drop it if it is known only afterwards"


def _split(choices: Sequence[ColumnChoice], label: Label) -> DraftSplit:
    """Return how rows are split: by what several belong to, by time, by a class, or by a hash."""
    keys = [choice for choice in choices if choice.is_key and not choice.missing]
    groups = [choice for choice in keys if choice.repeats]
    if groups:
        finest = max(groups, key=lambda choice: choice.typed.column.distinct)
        return DraftSplit("group", (finest.name,), "all rows of one share a split")
    for choice in choices:
        if choice.typed.nature == "time" and not choice.missing and in_order(choice.typed):
            return DraftSplit("time", (choice.name,), "the rows are in its order")
    by_hash = _by_hash(choices, keys)
    if label.task == "regression" or label.typed.column.counts[1][-1] > _MANY:
        return by_hash
    reason = "each split has rows of the rarest class"
    return replace(by_hash, by="stratified", reason=reason, strata=label.typed.column.name)


def _by_hash(choices: Sequence[ColumnChoice], keys: Sequence[ColumnChoice]) -> DraftSplit:
    if keys:
        return DraftSplit("hash", (keys[0].name,), "it names a row")
    used = [choice for choice in choices if choice.treatments and choice.typed.nature != "list"]
    widest = sorted(used, key=lambda choice: -choice.typed.column.distinct)[:_MOST_KEYS]
    names = {choice.name for choice in widest}
    columns = tuple(c.name for c in used if c.name in names)
    return DraftSplit("hash", columns, "no column names a row", may_repeat=True)
