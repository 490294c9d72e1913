"""The option `class_weights` of tasks with classes: how much the rows of each class count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import pydantic

from schemas.errors import did_you_mean

BALANCED = "balanced"


def _balanced_or_by_class(value: Any) -> Any:
    """Refuse what is neither; a union of both would report what is wrong with each."""
    if value is None or value == BALANCED:
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"give {BALANCED!r}, or classes with their weights, such as {{fraud: 10}},"
            f" got {value!r}"
        )
    for name, weight in value.items():
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not number or not (0 < weight < math.inf):
            raise ValueError(f"the weight of the class {name!r} must be above 0, got {weight!r}")
    return value


# The weight of each class by its name, or `balanced`, which has all classes count the same.
ClassWeights = Annotated[
    Literal["balanced"] | dict[str, float] | None,
    pydantic.BeforeValidator(_balanced_or_by_class),
]


def named_in(weights: str | Mapping[str, float] | None) -> tuple[str, ...]:
    """Return the classes that have a weight of their own."""
    return () if weights is None or isinstance(weights, str) else tuple(weights)


def weighed_in_words(weights: str | Mapping[str, float] | None) -> str:
    """Return how classes are weighed, as a clause; "" if all count the same.

    >>> weighed_in_words({"fraud": 10.0})
    "; in training, rows of 'fraud' count 10 times"
    """
    if weights is None:
        return ""
    if isinstance(weights, str):
        return "; in training, all classes count the same"
    each = ", ".join(f"of {name!r} count {weight:g} times" for name, weight in weights.items())
    return f"; in training, rows {each}"


def require_classes(weights: str | Mapping[str, float] | None, classes: Iterable[str]) -> None:
    """Refuse weights of what is not one of the classes.

    Raises:
      ValueError: there is such a weight; names the nearest class.
    """
    known = tuple(classes)
    for name in named_in(weights):
        if name not in known:
            raise ValueError(f"'class_weights' has no class {name!r}; {did_you_mean(name, known)}")
