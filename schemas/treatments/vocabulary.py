"""The options of `vocabulary`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import pydantic
from pydantic import Field

from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.layout import TransformedFeature
from schemas.term_lists import TermList
from schemas.treatments.options import IdsOfValues, LearnedTerms
from schemas.types import BYTES, INT, ColumnType

if TYPE_CHECKING:
    from schemas.tasks.options import TaskOptions


def _is_text_of(term: str, kind: ColumnType) -> bool:
    """Return whether a text is how a value of the type is written."""
    if kind is INT:
        return re.fullmatch(r"0|-?[1-9]\d*", term) is not None
    return kind is BYTES


class Vocabulary(IdsOfValues, LearnedTerms):
    """The id of an exact value: 0 for missing, then by decreasing count, then the OOV buckets.

    With `order: mutual_information`, the values come first that say most about the label.
    `terms` are known in their own order instead, whatever the training rows have. A list gets an id
    a value; a missing list the id 0 alone, an empty one none.
    """

    kind: Literal["vocabulary"] = "vocabulary"
    top_k: Annotated[int, Field(ge=1)] = 10_000
    oov_buckets: Annotated[int, Field(ge=1)] = 1
    terms: TermList = ()
    order: Literal["frequency", "mutual_information"] = "frequency"

    @pydantic.model_validator(mode="after")
    def _learned_or_given(self) -> Vocabulary:
        options = {
            "top_k": self.top_k,
            "min_count": self.min_count,
            "normalize": self.normalize,
            "order": self.order,
        }
        fields = type(self).model_fields
        for name, value in options.items():
            if self.terms and value != fields[name].default:
                raise ValueError(f"terms are known as they are given; remove {name} or terms")
        return self

    @property
    def given(self) -> tuple[str, ...]:
        """The terms that a person gave."""
        return self.terms

    def check(self, column: Column, *, where: str) -> None:
        """Check that terms are values of the column as texts, in the one way they are written."""
        super().check(column, where=where)
        for term in self.terms:
            if not _is_text_of(term, column.type):
                raise ConfigError(
                    f"the term {term!r} is not a value of {column.name!r}",
                    where=where,
                    expected="whole numbers, such as 7" if column.type is INT else "a text column",
                    remedy="correct it, or remove terms",
                )

    @property
    def takes_label(self) -> bool:
        """Whether the label orders the values."""
        return self.order == "mutual_information"

    def check_label(self, label: TaskOptions, *, where: str) -> None:
        """Check that there are classes that values can say something about."""
        if self.takes_label and label.task == "regression":
            raise ConfigError(
                "order: mutual_information takes a label of classes, and the task is regression",
                where=where,
                expected="the task binary or multiclass",
                remedy="remove order, or make the label one of classes, such as whether a number"
                " `exceeds` another",
            )

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the value's id; `learned` is the number of terms."""
        return self._ids(f"{columns[0]}_id", columns, 1 + learned + self.oov_buckets)

    def unknown_ids(self, size: int) -> range:
        """Return the OOV buckets, which come last."""
        return range(size - self.oov_buckets, size)
