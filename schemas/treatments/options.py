"""Options of all treatments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.columns import MOST_VALUES, Column
from schemas.errors import ConfigError
from schemas.figures import ColumnFigures
from schemas.layout import TransformedFeature
from schemas.normalization import Normalize
from schemas.strict import Finite, Strict
from schemas.types import BYTES, CATEGORIES, FLOAT, INT, ColumnType
from schemas.types import NUMBERS as NUMBERS

_NEARLY_UNIQUE = 0.8  # distinct values as a share of all
_MOST_ITEMS = 10  # of a list, in words
_MANY = 1_000  # fewer cost little, and a small table has few rows

if TYPE_CHECKING:
    from schemas.tasks.options import TaskOptions

Share = Annotated[float, Field(ge=0, le=1)]


def each_once(value: tuple[str, ...]) -> tuple[str, ...]:
    """Validate that an option's list has nothing twice."""
    for item in value:
        if value.count(item) > 1:
            raise ValueError(f"{item!r} is listed twice")
    return value


def ascending(value: tuple[float, float] | None) -> tuple[float, float] | None:
    """Validate that a pair of numbers has the smaller one first."""
    if value is not None and not value[0] < value[1]:
        raise ValueError(f"expected the smaller number first, got {list(value)}")
    return value


def options_in_words(options: Mapping[str, Any]) -> str:
    """Return options as pipeline.yaml has them, without empty lists; of long ones, the first items.

    >>> options_in_words({"top_k": 5, "terms": [], "classes": ["a", "b"]})
    'top_k: 5, classes: ["a", "b"]'
    """
    given = {name: value for name, value in options.items() if value != []}
    return ", ".join(f"{name}: {_shortened(value)}" for name, value in given.items())


def _shortened(value: Any) -> str:
    if not isinstance(value, list) or len(value) <= _MOST_ITEMS:
        return json.dumps(value, ensure_ascii=False)
    first = json.dumps(value[:_MOST_ITEMS], ensure_ascii=False)[:-1]
    return f"{first}, … {len(value) - _MOST_ITEMS:,} more]"


class TreatmentOptions(Strict):
    """The options of one use of a treatment; `kind` names the treatment.

    A use is on the column of `features` that it belongs to and on `others`; that of a
    `Combination`, on its `columns`.
    """

    kind: str
    accepts: ClassVar[tuple[ColumnType, ...]]
    # Of lists, outputs are lists of ids, which the model combines as `combine` says; or dense.
    accepts_lists: ClassVar[bool] = False
    # Whether outputs of lists that are ids have a list a row, too.
    lists_give_lists: ClassVar[bool] = True
    # Whether training rows have features of their own, because it learns from the label.
    learns_label: ClassVar[bool] = False
    # Whether it takes columns as `missing:` of pipeline.yaml fills them.
    fills_missing: ClassVar[bool] = True

    @property
    def others(self) -> tuple[str, ...]:
        """Columns that the options name, which the treatment takes after the feature's own."""
        return ()

    @property
    def takes_label(self) -> bool:
        """Whether it learns from the label, with or without features of their own."""
        return self.learns_label

    def accepted(self, position: int) -> tuple[ColumnType, ...]:
        """Return the types that the column at this position of a use may have."""
        return self.accepts

    def check(self, column: Column, *, where: str) -> None:
        """Check that a column of a type that is accepted fits the options.

        Args:
          column: of schema.pbtxt.
          where: the section, for the error.

        Raises:
          ConfigError: it does not.
        """

    def check_label(self, label: TaskOptions, *, where: str) -> None:
        """Check that a label fits the options, as `check` does for a column."""

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the transformed features.

        Args:
          columns: the raw columns of this use.
          learned: the size that the treatment's `learn` returned after the analysis; otherwise 0.
        """
        raise NotImplementedError

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield what statistics make doubtful about the treatment, with what to change.

        Args:
          figures: of the columns of this use, as examples have them.
        """
        yield from ()

    def unknown_ids(self, size: int) -> range:
        """Return the ids of values that were not learned; `size` is the feature's."""
        return range(0)


class Combination(TreatmentOptions):
    """The options of a treatment that takes several columns together.

    A kind that takes a certain number of columns bounds the length of `columns`, and says which
    types each of them may have in `accepted`.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=2)]
    name: Annotated[str, Field(min_length=1)] | None = None

    _columns_once = pydantic.field_validator("columns")(each_once)

    @property
    def stem(self) -> str:
        """The name, or else the columns and the kind: what the features' names begin with."""
        return self.name or "_".join((*self.columns, self.kind))


class Projection(Combination):
    """The options of a treatment that gives sums of standardized numbers with certain weights."""

    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    components: Annotated[int, Field(ge=1)]
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the sums, STEM_1 and so on."""
        return tuple(
            TransformedFeature(
                name=f"{self.stem}_{number}", columns=columns, treatment=self.kind, role="dense"
            )
            for number in range(1, self.components + 1)
        )


class ScaledNumber(TreatmentOptions):
    """The options of a treatment that gives a number, 0 if missing, and a flag if missing."""

    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the number, COLUMN_KIND, and the flag, COLUMN_KIND_missing."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{suffix}", columns=columns, treatment=self.kind, role="dense"
            )
            for suffix in (self.kind, f"{self.kind}_missing")
        )


class IdsOfValues(TreatmentOptions):
    """The options of a treatment that gives an id a value, and of a list an id for each of it.

    A list is cut to its first or its last values. Texts are rewritten by `normalize`; one of which
    nothing is left counts as missing. `weights` is a column of lists of as many numbers.
    """

    accepts_lists: ClassVar[bool] = True
    normalize: Normalize = ()
    # of a list's embeddings; None is the mean
    combine: Literal["mean", "sum", "attention"] | None = None
    first: Annotated[int, Field(ge=1, le=MOST_VALUES)] | None = None
    last: Annotated[int, Field(ge=1, le=MOST_VALUES)] | None = None
    weights: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_end(self) -> IdsOfValues:
        if self.first and self.last:
            raise ValueError("first and last exclude each other; remove one of the two")
        return self

    @property
    def others(self) -> tuple[str, ...]:
        """The column of weights, if any."""
        return () if self.weights is None else (self.weights,)

    def accepted(self, position: int) -> tuple[ColumnType, ...]:
        """Return the types of the values; weights are numbers."""
        return self.accepts if position == 0 else (INT, FLOAT)

    def check(self, column: Column, *, where: str) -> None:
        """Check that only texts are normalized."""
        if self.normalize and column.type is not BYTES:
            raise ConfigError(
                f"{self.kind} of {column.name!r} has `normalize`, which has no effect: the column"
                f" is {column.type.written}",
                where=where,
                expected="normalize only for texts",
                remedy="remove normalize",
            )

    def _ids(
        self, name: str, columns: tuple[str, ...], size: int
    ) -> tuple[TransformedFeature, ...]:
        """Return the ids, and their weights if any."""
        weights = "" if self.weights is None else f"{name}_weight"
        ids = TransformedFeature(
            name=name,
            columns=columns,
            treatment=self.kind,
            role="embedding",
            size=size,
            weights=weights,
        )
        if not weights:
            return (ids,)
        changes = {"name": weights, "role": "weight", "size": 0, "weights": ""}
        return (ids, ids.model_copy(update=changes))


class LearnedTerms(TreatmentOptions):
    """The options of a treatment that learns the most frequent values of a column."""

    accepts: ClassVar[tuple[ColumnType, ...]] = (*CATEGORIES, FLOAT)
    top_k: Annotated[int, Field(ge=1)]
    min_count: Annotated[int, Field(ge=1)] = 1

    @property
    def given(self) -> tuple[str, ...]:
        """The terms that a person gave; without any, they are learned."""
        return ()

    def doubts(self, figures: Sequence[ColumnFigures]) -> Iterator[str]:
        """Yield that nearly every value occurs once: there is nothing to learn of it."""
        (own,) = figures[:1]
        many = own.distinct is not None and own.distinct > max(_MANY, _NEARLY_UNIQUE * own.values)
        if many and self.min_count == 1:
            yield (
                f"{own.distinct:,} distinct values among {own.values:,} are nearly as many as rows:"
                " the model learns them by heart; drop the column, use hash, or raise min_count"
            )


class Indicators(LearnedTerms):
    """The options of a treatment that gives 0 or 1 for each of the most frequent values."""

    top_k: Annotated[int, Field(ge=1, le=1_000)] = 10

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return an indicator a value, COLUMN_KIND_1 of the most frequent one, and the flag."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_{self.kind}_{suffix}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for suffix in (*range(1, self.top_k + 1), "missing")
        )


def require_list(kind: str, column: Column, instead: str, *, where: str) -> None:
    """Check that a column has lists.

    Args:
      kind: the treatment.
      column: of schema.pbtxt.
      instead: the treatment of columns of one value a row.
      where: the section, for the error.

    Raises:
      ConfigError: it has one value a row.
    """
    if not column.is_list:
        raise ConfigError(
            f"{kind} cannot take {column.name!r}, which has one value a row",
            where=where,
            expected="a column of lists",
            remedy=f"use {instead}, or write value_count {{ max: N }} for it in schema.pbtxt if it"
            " has up to N values a row",
        )
