"""The options of `own`: features that a function of the dataset's features.py computes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Strict, written_as
from schemas.treatments.options import Combination
from schemas.types import TYPES, ColumnType

NUMBER = "number"

_Name = Annotated[
    str, written_as(r"[A-Za-z_][A-Za-z0-9_]{0,199}", "letters, digits and _, a digit not first")
]


class OwnFeature(Strict):
    """A tensor that the function returns: numbers, or ids below a size."""

    name: _Name
    size: Literal["number"] | Annotated[int, Field(ge=2, le=10_000_000)]


class Own(Combination):
    """Features that the dataset's own code computes from one or more columns, inside the graph.

    A number is float32, and 0 if it is not finite; an id is int64, and 0 if it is not below the
    feature's size.
    """

    kind: Literal["own"] = "own"
    accepts: ClassVar[tuple[ColumnType, ...]] = tuple(TYPES.values())
    accepts_lists: ClassVar[bool] = True
    lists_give_lists: ClassVar[bool] = False
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    features: Annotated[tuple[OwnFeature, ...], Field(min_length=1)]
    function: _Name = "preprocess"

    _code: str = pydantic.PrivateAttr("")

    @pydantic.field_validator("features", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        """Read the YAML mapping `name: size` as a tuple of features."""
        if isinstance(value, dict):
            return tuple({"name": str(name), "size": size} for name, size in value.items())
        return value

    @property
    def code(self) -> str:
        """The text of features.py; empty while pipeline.yaml is read."""
        return self._code

    def with_code(self, text: str) -> Own:
        """Return the options with the text of features.py."""
        options = self.model_copy()
        options._code = text
        return options

    def named(self, feature: OwnFeature) -> str:
        """Return the name of a feature in the model."""
        return f"{self.name}_{feature.name}" if self.name else feature.name

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the features with the names and sizes that pipeline.yaml declares."""
        return tuple(
            TransformedFeature(
                name=self.named(each),
                columns=columns,
                treatment=self.kind,
                role="dense" if each.size == NUMBER else "embedding",
                size=0 if each.size == NUMBER else int(each.size),
            )
            for each in self.features
        )
