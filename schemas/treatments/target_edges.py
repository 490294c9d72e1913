"""The options that treatments of intervals share whose ends may follow from the label."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from schemas.treatments.options import TreatmentOptions


class TargetEdges(TreatmentOptions):
    """The options of a treatment whose intervals may be the leaves of a decision tree.

    The tree has the column alone. It splits the training rows where the label's impurity falls
    most, into leaves of at least `min_count` rows (Gorishniy et al. 2022, arXiv:2203.05556).
    """

    edges: str
    bins: int
    min_count: Annotated[int, Field(ge=1)] = 50

    @pydantic.model_validator(mode="after")
    def _count_of_leaves(self) -> TargetEdges:
        if not self.takes_label and self.min_count != type(self).model_fields["min_count"].default:
            raise ValueError("min_count is that of `edges: target`; add it, or remove min_count")
        return self

    @property
    def takes_label(self) -> bool:
        """Whether the ends of intervals follow from the label."""
        return self.edges == "target"
