"""Options of all kinds of splits: the columns that decide, and the shares."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from schemas.columns import Column
from schemas.strict import Strict

# The splits of every dataset, in the order of their numbers.
SPLITS = ("train", "eval", "test")


class SplitOptions(Strict):
    """How rows are assigned to splits; `by` names the kind, which adds its own options."""

    by: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that determine a row's split."""
        raise NotImplementedError

    @property
    def needed(self) -> tuple[str, ...]:
        """Those that must not be missing."""
        return ()

    @property
    def reads_names(self) -> bool:
        """Whether the names of files decide."""
        return False

    @property
    def shares(self) -> tuple[float, float, float]:
        """The approximate share of rows for each split, in the order of `SPLITS`."""
        raise NotImplementedError

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check that columns can decide.

        Args:
          columns: of schema.pbtxt, in the order of `self.columns`.
          where: the section, for the error.

        Raises:
          ConfigError: a column has another type, or an option does not fit its type.
        """

    def in_words(self) -> str:
        """Return how rows are split, as a phrase."""
        raise NotImplementedError


class SharedSplit(SplitOptions):
    """A split by shares of the rows."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.70
    eval: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test: Annotated[float, Field(gt=0, lt=1)] = 0.15

    @property
    def shares(self) -> tuple[float, float, float]:
        """The share of rows for each split."""
        return self.train, self.eval, self.test

    @pydantic.model_validator(mode="after")
    def _sum(self) -> SharedSplit:
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"train + eval + test must be 1, got {sum(self.shares):g}")
        return self

    @property
    def shares_in_words(self) -> str:
        """The shares as text.

        >>> SharedSplit(by="hash").shares_in_words
        '70%, 15%, 15%'
        """
        return ", ".join(f"{share:.0%}" for share in self.shares)
