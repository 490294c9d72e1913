"""The options of `multi_hot`."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.columns import Column
from schemas.treatments.options import Indicators, require_list


class MultiHot(Indicators):
    """A number a frequent value, 1 if it is in the list; 0 for other values, and if missing."""

    kind: Literal["multi_hot"] = "multi_hot"
    accepts_lists: ClassVar[bool] = True

    def check(self, column: Column, *, where: str) -> None:
        """Check that the column has lists."""
        require_list(self.kind, column, "one_hot", where=where)
