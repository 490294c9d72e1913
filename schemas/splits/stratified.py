"""The options of a stratified split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.columns import Column, require_type
from schemas.splits.options import SharedSplit
from schemas.types import BOOL, BOOL_TEXT, BYTES, INT


class Stratified(SharedSplit):
    """A split that holds the shares within each stratum, such as each class of the label.

    A stratum is the rows that have the same values in `strata`. Its rows are ordered by a hash of
    their key, and cut at the shares; the table is read once more to find where. Rows with equal
    keys in a stratum share a split. Folds hold the shares of the strata, too.
    """

    by: Literal["stratified"] = "stratified"
    strata: Annotated[tuple[str, ...], Field(min_length=1)]
    key: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The strata, then the key."""
        return tuple(dict.fromkeys((*self.strata, *self.key)))

    @property
    def unlike_features(self) -> tuple[str, ...]:
        """The key, if it is one column: strata are like other columns."""
        return self.key if len(self.key) == 1 else ()

    @property
    def needed(self) -> tuple[str, ...]:
        """The strata."""
        return self.strata

    @property
    def if_empty(self) -> str:
        """What to do if a split, or a fold, has no rows."""
        return "add rows, or give the split a larger share"

    @property
    def looks_ahead(self) -> bool:
        """Where a stratum is cut depends on all of its rows."""
        return True

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check the types of the strata."""
        for column in columns:
            if column.name in self.strata:
                require_type("splits.strata", column, (INT, BYTES, BOOL, BOOL_TEXT), where)

    def in_words(self) -> str:
        """Return the shares, and the strata."""
        return f"{self.shares_in_words} of each {', '.join(self.strata)}"
