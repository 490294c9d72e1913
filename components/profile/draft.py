"""Describes a whole table: its label, what each column becomes, and how rows are identified."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from components.profile.association import codes_of
from components.profile.choices import ColumnChoice, choose
from components.profile.label import Label, label_of
from components.profile.table import Table
from components.profile.times import in_order
from components.profile.types import typed
from components.profile.values import ColumnValues
from schemas.errors import ConfigError, did_you_mean

_MOST_KEYS = 12
_TEST_SHARE = 0.15
_MANY = 500  # rows of a class, of which each split has enough by chance


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
    """

    by: str
    columns: tuple[str, ...]
    reason: str
    strata: str = ""
    eval: str = ""
    test: str = ""


@dataclass(frozen=True)
class Draft:
    """What a table is, and what a run makes of it.

    Attributes:
      table: the look at it.
      label: what is predicted.
      choices: what each other column becomes, in the order of the table.
      nulls: texts that mean missing.
      split: how rows are split.
    """

    table: Table
    label: Label
    choices: tuple[ColumnChoice, ...]
    nulls: tuple[str, ...]
    split: DraftSplit

    @property
    def features(self) -> tuple[ColumnChoice, ...]:
        """The columns that the model receives."""
        return tuple(choice for choice in self.choices if choice.treatments)

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
    def test_rows(self) -> float:
        """About how many of the rows that were looked at the test split has."""
        return self.table.rows * _TEST_SHARE


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
    # A source has one list of texts that mean missing, so what one column calls so, all do.
    nulls = tuple(
        dict.fromkeys(n for each in table.columns for n in typed(each, whole=table.whole).nulls)
    )
    columns = {each.name: each.without(nulls) for each in table.columns}
    decided = label_of(
        typed(columns[label], whole=table.whole), task, _only_in(others, columns[label], nulls)
    )
    known = columns[label].array.is_valid()
    codes = codes_of(typed(_filtered(columns[label], known), whole=table.whole))
    choices = tuple(
        choose(typed(_filtered(column, known), whole=table.whole), codes)
        for column in columns.values()
        if column.name != label
    )
    if not any(choice.treatments for choice in choices):
        reasons = "; ".join(f"{choice.name}: {choice.reason}" for choice in choices[:10])
        raise ConfigError(
            "there is no column to predict from",
            expected="at least one column besides the label that a request can have",
            remedy=f"what was seen: {reasons or 'the label is the only column'}",
        )
    choices = _without_twins(choices)
    return Draft(table, decided, choices, nulls, _split(choices, decided))


def _only_in(tables: Sequence[Table], label: ColumnValues, nulls: Sequence[str]) -> list[str]:
    """Return the texts of the label that only these tables have.

    Raises:
      ConfigError: a table has no such column.
    """
    known, found = set(label.top(label.distinct)), dict[str, None]()
    for table in tables:
        own = next((c for c in table.columns if c.name == label.name), None)
        if own is None:
            raise ConfigError(
                f"there is no column {label.name!r} in {', '.join(table.source.paths)}",
                expected="the columns of the table in the files of eval and test, too",
            )
        if own.is_text:
            own = own.without(nulls)
            found |= dict.fromkeys(text for text in own.top(own.distinct) if text not in known)
    return list(found)


def _filtered(column: ColumnValues, rows: pa.Array) -> ColumnValues:
    return replace(column, array=column.array.filter(rows))


def _without_twins(choices: tuple[ColumnChoice, ...]) -> tuple[ColumnChoice, ...]:
    """Leave out columns that have the values of an earlier one in every row."""
    first: dict[bytes, str] = {}
    kept = []
    for choice in choices:
        if choice.treatments and choice.typed.nature != "list":
            codes = choice.typed.column.array.dictionary_encode().indices
            twin = first.setdefault(codes.fill_null(-1).to_numpy().tobytes(), choice.name)
            if twin != choice.name and choice.typed.column.distinct > 2:
                reason = f"it separates the rows exactly as {twin!r} does"
                choice = replace(choice, treatments=(), reason=reason)
        kept.append(choice)
    return tuple(kept)


def _split(choices: Sequence[ColumnChoice], label: Label) -> DraftSplit:
    """Return how rows are split: by what several belong to, by time, by a class, or by a hash."""
    keys = [choice for choice in choices if choice.is_key and not choice.missing]
    groups = [choice for choice in keys if choice.repeats]
    if groups:
        return DraftSplit("group", (groups[0].name,), "all rows of one share a split")
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
    return DraftSplit("hash", columns, "no column names a row")
