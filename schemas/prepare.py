"""The section `prepare:` of pipeline.yaml: which rows become examples.

Its rules keep, drop or repeat rows, and never change a value, which serving would have to repeat.
They apply in the order `where`, `required`, `drop_duplicates`, the split, `outliers`, `sample`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pydantic
from pydantic import Field

from schemas.strict import Finite, Strict

Columns = Annotated[tuple[str, ...], Field(min_length=1)]
_RULE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


class Keep(Strict):
    """Which one of several rows with the same key is kept.

    Attributes:
      last: whether it is the last one rather than the first.
      column: the column that says which is first, smallest value first; None for their places.
    """

    last: bool = False
    column: str | None = None


def _keep(value: Any) -> Any:
    if isinstance(value, Keep):
        return value
    if value == "first":
        return {}
    if isinstance(value, dict) and len(value) == 1 and {*value} <= {"first", "last"}:
        ((which, column),) = value.items()
        if isinstance(column, str):
            return {"last": which == "last", "column": column}
    if isinstance(value, dict) and {*value} == {"last", "column"}:  # as JSON has it
        return value
    raise ValueError(f"expected first, {{first: COLUMN}} or {{last: COLUMN}}, got {value!r}")


class DropDuplicates(Strict):
    """Rows with equal values in the columns `key`, of which one is kept.

    A row that lacks a value of its key is not a duplicate.
    """

    key: Columns
    keep: Annotated[Keep, pydantic.BeforeValidator(_keep)] = Field("first", validate_default=True)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that decide."""
        order = () if self.keep.column is None else (self.keep.column,)
        return tuple(dict.fromkeys((*self.key, *order)))


class OutlierRule(Strict):
    """Which values of a column are outliers: one of the three.

    Attributes:
      iqr: those this many interquartile ranges below the first or above the third quartile.
      quantiles: those below the first quantile or above the second.
      z: those this many standard deviations from the mean.
    """

    iqr: Annotated[Finite, Field(gt=0)] | None = None
    quantiles: tuple[Finite, Finite] | None = None
    z: Annotated[Finite, Field(gt=0)] | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> OutlierRule:
        if sum(each is not None for each in (self.iqr, self.quantiles, self.z)) != 1:
            raise ValueError("give one of iqr, quantiles and z, such as {iqr: 3}")
        if self.quantiles is not None and not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
            raise ValueError(
                f"quantiles are two rising shares, such as [0.001, 0.999], got {self.quantiles}"
            )
        return self

    def in_words(self) -> str:
        """Return the rule as pipeline.yaml has it.

        >>> OutlierRule(iqr=3).in_words()
        'iqr 3'
        """
        if self.quantiles is not None:
            return f"quantiles {self.quantiles[0]:g} to {self.quantiles[1]:g}"
        return f"iqr {self.iqr:g}" if self.iqr is not None else f"z {self.z:g}"


Share = Annotated[Finite, Field(gt=0, lt=1)]


class TrainingSample(Strict):
    """Which training rows are learnt from: one of the three.

    Attributes:
      fraction: this share of all of them.
      rates: this share of the rows of each class, by its name; all rows of other classes.
      share: rows of these classes are repeated until they have this share of all rows.
    """

    fraction: Share | None = None
    rates: dict[str, Share] = Field(default_factory=dict)
    share: dict[str, Share] = Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _one(self) -> TrainingSample:
        if sum(bool(each) for each in (self.fraction, self.rates, self.share)) != 1:
            raise ValueError(
                "give one of fraction, rates and share, such as {fraction: 0.1},"
                ' {rates: {"0": 0.1}} or {share: {"1": 0.3}}'
            )
        if sum(self.share.values()) >= 1:
            raise ValueError("the shares leave nothing for rows of other classes")
        return self

    @property
    def by_class(self) -> dict[str, float]:
        """The rates or shares of classes, by their names; none for a fraction of all rows."""
        return self.rates or self.share

    def in_words(self) -> str:
        """Return the sample as a phrase.

        >>> TrainingSample(rates={"0": 0.1}).in_words()
        "0.1 of the rows of '0'"
        """
        if self.fraction is not None:
            return f"{self.fraction:.4g} of the rows"
        if self.rates:
            return ", ".join(f"{rate:.4g} of the rows of {c!r}" for c, rate in self.rates.items())
        shares = (f"{c!r} until {share:.4g} of all" for c, share in self.share.items())
        return f"rows repeated of {', '.join(shares)}"


def _named(value: Any) -> Any:
    """Read a single expression as a rule without a name."""
    if isinstance(value, str):
        return {"": value}
    if isinstance(value, dict):
        for name in value:
            if name and not _RULE_NAME.fullmatch(str(name)):
                raise ValueError(
                    f"a rule's name has letters, digits, _ and -, a letter first, got {name!r}"
                )
    return value


class Prepare(Strict):
    """Which rows become examples."""

    where: Annotated[dict[str, str], pydantic.BeforeValidator(_named)] = Field(default_factory=dict)
    required: tuple[str, ...] = ()
    drop_duplicates: DropDuplicates | None = None
    outliers: dict[str, OutlierRule] = Field(default_factory=dict)
    sample: TrainingSample | None = None
    keep_dropped: bool = False

    @property
    def conditions(self) -> dict[str, str]:
        """The expressions of `where` by the names of their rules, such as prepare.where.adult."""
        return {where_rule(name): text for name, text in self.where.items()}

    @property
    def drops_before_split(self) -> bool:
        """Whether rows may be dropped before they are assigned to splits."""
        return bool(self.where or self.required) or self.drop_duplicates is not None

    def in_words(self) -> Iterator[str]:
        """Yield each rule, in the order in which they apply."""
        for rule, text in self.conditions.items():
            yield f"{rule.removeprefix('prepare.')}: {text}"
        if self.required:
            yield f"required: {', '.join(self.required)}"
        yield from self.in_words_of_all_rows()

    def in_words_of_all_rows(self) -> Iterator[str]:
        """Yield the rules that depend on other rows."""
        if self.drop_duplicates is not None:
            keep = self.drop_duplicates.keep
            which = "last" if keep.last else "first"
            by = "" if keep.column is None else f" by {keep.column}"
            yield f"one row of each {', '.join(self.drop_duplicates.key)}: the {which}{by}"
        for column, outlier in self.outliers.items():
            yield f"outliers of {column}, in training: {outlier.in_words()}"
        if self.sample is not None:
            yield f"sample, in training: {self.sample.in_words()}"


EVERY_ROW = Prepare()  # becomes an example

DUPLICATES = "prepare.drop_duplicates"
SAMPLE = "prepare.sample"


def where_rule(name: str) -> str:
    """Return the name of a rule of `where` in counts."""
    return f"prepare.where.{name}" if name else "prepare.where"


def required_rule(column: str) -> str:
    """Return the name of the rule that a column is required."""
    return f"prepare.required.{column}"


def outliers_rule(column: str) -> str:
    """Return the name of the rule about a column's outliers."""
    return f"prepare.outliers.{column}"
