"""The options of a split that a column of the table gives."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from schemas.columns import Column, require_type
from schemas.splits.options import GivenSplit
from schemas.types import BOOL, BOOL_TEXT, BYTES, INT

_Values = Annotated[tuple[str, ...], Field(min_length=1)]


class ColumnSplit(GivenSplit):
    """A split by the values of a column, such as `fold`.

    Rows of `ignore` are left out, and counted. Any other value stops the run.
    """

    by: Literal["column"] = "column"
    column: str
    train: _Values = ("train",)
    eval: _Values = ("eval",)
    test: _Values = ("test",)
    ignore: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, the key and the times."""
        return tuple(dict.fromkeys((self.column, *self.checked)))

    @property
    def needed(self) -> tuple[str, ...]:
        """The column and the times."""
        return (self.column, *([] if self.time is None else [self.time]))

    @property
    def shares(self) -> tuple[float, float, float]:
        """Nothing is known about them: each may have all rows."""
        return 1.0, 1.0, 1.0

    @property
    def values(self) -> tuple[tuple[str, ...], ...]:
        """The values of each split, in the order of `SPLITS`."""
        return self.train, self.eval, self.test

    @property
    def if_empty(self) -> str:
        """What to do if a split has no rows."""
        return f"correct the values in splits.train, eval and test, or those of {self.column!r}"

    @pydantic.model_validator(mode="after")
    def _apart(self) -> ColumnSplit:
        values = [*self.train, *self.eval, *self.test, *self.ignore]
        for value in values:
            if values.count(value) > 1:
                raise ValueError(f"the value {value!r} is in two splits")
        return self

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check the types of the column and of the times."""
        for column in columns:
            if column.name == self.column:
                require_type("splits.column", column, (INT, BYTES, BOOL, BOOL_TEXT), where)
        super().check(columns, where=where)

    def in_words(self) -> str:
        """Return which column decides."""
        return f"as {self.column} says"
