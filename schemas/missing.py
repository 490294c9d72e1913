"""The section `missing:` of pipeline.yaml: what fills the missing values of columns."""

from __future__ import annotations

from typing import Literal

import pydantic

from schemas.columns import Column, refuse_list, require_type
from schemas.errors import ConfigError
from schemas.strict import Finite, Strict
from schemas.treatments.options import NUMBERS
from schemas.types import BYTES, CATEGORIES, FLOAT, INT, ColumnType

_ACCEPTED: dict[str, tuple[ColumnType, ...]] = {
    "mean": NUMBERS,
    "median": NUMBERS,
    "most_frequent": (INT, FLOAT, BYTES),
    "constant": (INT, FLOAT, BYTES),
}
_MOST = 2**53


class Missing(Strict):
    """How the missing values of a column are filled, in training and in requests alike.

    Attributes:
      fill: what is learned from the training split, or `constant`.
      value: the constant.
      by: the column in whose groups medians are learned.
      indicator: whether a feature COLUMN_missing says which values were missing.
    """

    fill: Literal["mean", "median", "most_frequent", "constant"]
    value: Finite | str | None = None
    by: str | None = None
    indicator: bool = True

    @pydantic.model_validator(mode="after")
    def _fitting(self) -> Missing:
        if (self.value is None) == (self.fill == "constant"):
            raise ValueError("fill: constant needs a value, and no other fill has one")
        if self.by is not None and self.fill != "median":
            raise ValueError(f"by is only for fill: median, got fill: {self.fill}")
        return self

    def check(self, column: Column, *, where: str) -> None:
        """Check that a column can have this filling.

        Raises:
          ConfigError: it has lists or another type, or cannot have the constant.
        """
        refuse_list("missing", column, where)
        require_type(f"fill: {self.fill}", column, _ACCEPTED[self.fill], where)
        if self.fill == "constant" and not self._is_constant_of(column):
            expected = {INT: "a whole number within ±2**53", FLOAT: "a number"}
            raise ConfigError(
                f"the column {column.name!r} cannot have the value {self.value!r}",
                where=where,
                expected=expected.get(column.type, "a text that is not empty"),
            )

    def _is_constant_of(self, column: Column) -> bool:
        if column.type is BYTES or isinstance(self.value, str):
            return column.type is BYTES and isinstance(self.value, str) and bool(self.value)
        assert self.value is not None
        return column.type is FLOAT or (self.value % 1 == 0 and abs(self.value) <= _MOST)

    def check_group(self, column: Column, *, where: str) -> None:
        """Check that a column can be `by`, as `check` does for the column that is filled."""
        refuse_list("missing", column, where)
        require_type("by", column, (*CATEGORIES, FLOAT), where)
