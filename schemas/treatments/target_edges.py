"""The options that treatments of intervals share whose ends may follow from the label."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.treatments.options import TreatmentOptions


class TargetEdges(TreatmentOptions):
    """The options of a treatment whose intervals are the leaves of a tree if the label decides.

    A decision tree of the column alone splits the training rows where the label's impurity falls
    most, into leaves of at least `min_count` rows (Gorishniy et al. 2022, arXiv:2203.05556, 3.2.2).
    """

    min_count: Annotated[int, Field(ge=1)] | None = None  # None is `LEAST_ROWS`

    LEAST_ROWS = 50

    @property
    def by_label(self) -> bool:
        """Whether the ends of intervals follow from the label."""
        raise NotImplementedError

    @property
    def takes_label(self) -> bool:
        """Whether the treatment is given the label of training rows."""
        return self.by_label

    @property
    def least_rows(self) -> int:
        """The least number of training rows in an interval."""
        return self.LEAST_ROWS if self.min_count is None else self.min_count
