"""The options of `group_statistics`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import NUMBERS, LearnedTerms
from schemas.types import CATEGORIES, FLOAT, ColumnType

Statistic = Literal["mean", "std", "count", "difference"]


class GroupStatistics(LearnedTerms):
    """Statistics of a number over the training rows with the same value of another column.

    Mean and deviation are in standard deviations of all rows, and the mean is from theirs; the
    count is log(1 + n) from 0 to 1. The difference is that of the row's number and its group's
    mean, 0 if it is missing. A group that training has not seen has the statistics of all rows.
    """

    kind: Literal["group_statistics"] = "group_statistics"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    by: str
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ("mean", "difference")
    top_k: Annotated[int, Field(ge=1)] = 10_000
    clip: Annotated[Finite, Field(gt=0)] = 10.0

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
