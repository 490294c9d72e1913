"""The section `selection:` of pipeline.yaml: which columns are left out of the features."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from schemas.strict import Finite, Strict

Criterion = Literal["mutual_information", "mrmr", "cmim", "jmim"]
Share = Annotated[Finite, Field(gt=0, le=1)]


class ColumnSelection(Strict):
    """Filters of columns, in the order in which they act; each is off unless it is given.

    Attributes:
      missing: the share of missing values from which on a column is dropped.
      one_value: the share of rows with one value, which may be the missing one, from which on a
        column is dropped; 1 drops constant columns alone.
      duplicates: whether a column that equals another one is dropped.
      mutual_information: with the label, in nats, below which a column is dropped.
      correlation: the absolute rank correlation with a more informative column from which on a
        column of numbers is dropped.
      keep: how many columns are kept at most.
      by: the criterion that chooses them.
      unhelpful: raw columns that are dropped because they do not help a trained model, each with
        what permuting it costs, or null; `skewless run --select importance` fills them in.
    """

    missing: Share | None = None
    one_value: Share | None = None
    duplicates: bool = False
    mutual_information: Annotated[Finite, Field(gt=0)] | None = None
    correlation: Share | None = None
    keep: Annotated[int, Field(ge=1)] | None = None
    by: Criterion = "mutual_information"
    unhelpful: dict[str, Finite | None] = Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _by_needs_keep(self) -> ColumnSelection:
        if self.by != "mutual_information" and self.keep is None:
            raise ValueError("`by` chooses the columns that `keep` keeps; give `keep`, such as 20")
        return self

    @property
    def on(self) -> bool:
        """Whether any filter is."""
        return bool(self.model_dump(exclude={"by"}, exclude_defaults=True))
