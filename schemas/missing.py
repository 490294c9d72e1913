"""The section `missing:` of pipeline.yaml: what fills the missing values of columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from schemas.columns import LARGEST_INTEGER, Column, refuse_list, require_type
from schemas.errors import ConfigError
from schemas.strict import Strict
from schemas.types import BYTES, CATEGORIES, FLOAT, FLOAT_TEXT, INT, NUMBERS, ColumnType

_ACCEPTED: dict[str, tuple[ColumnType, ...]] = {
    "mean": NUMBERS,
    "median": NUMBERS,
    "most_frequent": (INT, FLOAT, FLOAT_TEXT, BYTES),
    "constant": (INT, FLOAT, FLOAT_TEXT, BYTES),
}
_MOST = 3.4028234663852886e38  # the largest float32


def _written(value: Any) -> Any:
    """Return a number as text; pipeline.yaml has texts alone."""
    return str(value) if isinstance(value, int | float) else value


class Missing(Strict):
    """How the missing values of a column are filled, in training and in requests alike.

    Attributes:
      fill: what is learned from the training split, or `constant`.
      value: the constant, as pipeline.yaml has it.
      by: the column in whose groups it is learned.
      indicator: whether a feature COLUMN_was_missing says which values were missing.
    """

    fill: Literal["mean", "median", "most_frequent", "constant"]
    value: Annotated[str | None, pydantic.BeforeValidator(_written)] = None
    by: str | None = None
    indicator: bool = True

    @pydantic.model_validator(mode="after")
    def _fitting(self) -> Missing:
        if (self.value is None) == (self.fill == "constant"):
            raise ValueError("fill: constant needs a value, and no other fill has one")
        if self.by is not None and self.fill == "constant":
            raise ValueError("by is for what is learned, and not for fill: constant")
        return self

    @property
    def in_words(self) -> str:
        """The options that are not the defaults, as pipeline.yaml has them."""
        written = self.model_dump(mode="json", exclude_defaults=True)
        return ", ".join(f"{key}: {json.dumps(value)}" for key, value in written.items())

    def check(self, column: Column, *, where: str) -> None:
        """Check that a column can have this filling.

        Raises:
          ConfigError: it has lists or another type, or cannot have the constant.
        """
        refuse_list("missing", column, where)
        require_type(f"fill: {self.fill}", column, _ACCEPTED[self.fill], where)
        if self.fill == "constant" and not self._is_constant_of(column):
            number = "a number that float32 holds"
            expected = {INT: "a whole number within ±2**53", FLOAT: number, FLOAT_TEXT: number}
            raise ConfigError(
                f"the column {column.name!r} cannot have the value {self.value!r}",
                where=where,
                expected=expected.get(column.type, "a text that is not empty"),
            )

    def _is_constant_of(self, column: Column) -> bool:
        assert self.value is not None
        try:
            if column.type is INT:
                return abs(int(self.value)) <= LARGEST_INTEGER
            return bool(self.value) if column.type is BYTES else abs(float(self.value)) <= _MOST
        except ValueError:
            return False

    def check_group(self, column: Column, *, where: str) -> None:
        """Check that a column can be `by`, as `check` does for the column that is filled."""
        refuse_list("missing", column, where)
        require_type("by", column, (*CATEGORIES, FLOAT), where)


def indicators(missing: Mapping[str, Missing]) -> dict[str, dict[str, Any]]:
    """Return the options of the treatment `missing` for each column with an indicator."""
    return {
        name: {"columns": (name,), "name": f"{name}_was_missing"}
        for name, filling in missing.items()
        if filling.indicator
    }
