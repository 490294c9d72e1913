"""The options of a split by hash."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.splits.options import SharedSplit


class Hash(SharedSplit):
    """A split by a hash of `key`.

    A row's split depends only on the values of its key columns, so adding rows or columns moves no
    row; rows with equal keys always share a split.
    """

    by: Literal["hash"] = "hash"
    key: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    def in_words(self) -> str:
        """Return the shares, and the key."""
        return f"{self.shares_in_words} by a hash of {', '.join(self.key)}"
