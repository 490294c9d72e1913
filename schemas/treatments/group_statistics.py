"""The options of `group_statistics`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import NUMBERS, LearnedTerms, each_once
from schemas.types import CATEGORIES, FLOAT, ColumnType

Statistic = Literal["mean", "median", "std", "count", "difference", "ratio"]


class GroupStatistics(LearnedTerms):
    """Statistics of a number over the training rows with the same value of another column.

    Mean, median and deviation are in standard deviations of all rows, the former two from the mean
    of these; the count is log(1 + n) from 0 to 1. The difference is that of the row's number and
    its group's mean or median, the ratio the number divided by it; both are 0 if the number is
    missing. A group that training has not seen has the statistics of all rows.
    """

    kind: Literal["group_statistics"] = "group_statistics"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    by: str
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ("mean", "difference")
    top_k: Annotated[int, Field(ge=1)] = 10_000
    relative_to: Literal["mean", "median"] = "mean"
    clip: Annotated[Finite, Field(gt=0)] = 10.0

    _each_once = pydantic.field_validator("statistics")(each_once)

    @pydantic.model_validator(mode="after")
    def _relative(self) -> GroupStatistics:
        if self.relative_to != "mean" and not {"difference", "ratio"} & {*self.statistics}:
            raise ValueError(
                "relative_to is what difference and ratio are from; add one of them to statistics,"
                " or remove relative_to"
            )
        return self

    def is_relative_to(self, statistic: str, to: str) -> bool:
        """Whether a statistic is wanted, and relative to this one."""
        return statistic in self.statistics and self.relative_to == to

    @property
    def needs_medians(self) -> bool:
        """Whether the medians of groups are needed."""
        return "median" in self.statistics or self.relative_to == "median"

    @property
    def others(self) -> tuple[str, ...]:
        """The column whose values are the groups."""
        return (self.by,)

    def accepted(self, position: int) -> tuple[ColumnType, ...]:
        """Return numbers first, then what can be a group."""
        return self.accepts if position == 0 else (*CATEGORIES, FLOAT)

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the statistics, COLUMN_by_GROUP_mean and so on."""
        return tuple(
            TransformedFeature(
                name=f"{columns[0]}_by_{self.by}_{statistic}",
                columns=columns,
                treatment=self.kind,
                role="dense",
            )
            for statistic in self.statistics
        )
