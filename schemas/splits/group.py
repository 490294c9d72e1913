"""The options of a split by group."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.splits.options import SharedSplit


class Group(SharedSplit):
    """A split that keeps all rows of a customer, a session or another group together.

    Each group goes to the split that a hash of its key decides. The shares are those of groups, and
    about those of rows. A row needs its key: all rows without one would be a group.
    """

    by: Literal["group"] = "group"
    key: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    @property
    def needed(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    def in_words(self) -> str:
        """Return the shares, and the key."""
        return f"{self.shares_in_words} of the groups by {', '.join(self.key)}"
