"""explanation.json: what a model depends on, as frozen types that the file can be read back into.

The file is this module's `Explained` as JSON, with the same keys. `format` increases when a key
changes its meaning or is removed; it stays the same when a key is added.
"""

from __future__ import annotations

import os
from typing import Literal

from components import files
from schemas.strict import Strict

FILE_NAME = "explanation.json"

# Half of a 90 % interval as a share of half of a 95 % interval, of a normal distribution.
_ONE_SIDED = 1.644854 / 1.959964

# A score: a number, or a probability for each class.
Score = float | tuple[float, ...]


class Cost(Strict):
    """By how much a metric gets worse, and its 95 % interval.

    Attributes:
      drop: the metric with the columns permuted, less the metric as it is; above 0 is worse.
      low: the lower end of the interval.
      high: the upper end.
    """

    drop: float
    low: float
    high: float

    @property
    def helps(self) -> bool:
        """Whether the columns help, by a one-sided paired test at 5 %."""
        return self.drop - (self.high - self.drop) * _ONE_SIDED > 0


class ColumnImportance(Cost):
    """How much the model depends on columns, on the split of `Importance`.

    Attributes:
      columns: the raw columns that were permuted together: one, or those that only act together.
      features: the transformed features that are made from them.
      splits: the same measured on each split.
    """

    columns: tuple[str, ...]
    features: tuple[str, ...]
    splits: dict[str, Cost]


class Importance(Strict):
    """Permutation importance.

    Attributes:
      metric: the metric that is compared, of which less is better.
      split: the split of the figures at the top level of each entry.
      rows: how many rows of it were scored.
      repeats: how many times each column was permuted.
      value: the metric as it is, by split.
      columns: in descending order of `drop`.
      unmeasured: columns that moved the scores least in the first pass, by which they are in
        ascending order; none if all columns were measured.
    """

    metric: str
    split: str
    rows: int
    repeats: int
    value: dict[str, float]
    columns: tuple[ColumnImportance, ...]
    unmeasured: tuple[tuple[str, ...], ...] = ()


class DependencePoint(Strict):
    """The mean score if all rows had a value.

    Attributes:
      value: of the column; a time is text in ISO 8601, None is a missing value.
      mean: the mean score over the rows; of several classes, a mean for each.
      low: the lower end of its 95 % interval.
      high: the upper end.
      share: of rows with this value, or for which it is the nearest of the points.
    """

    value: float | int | str | None
    mean: Score
    low: Score
    high: Score
    share: float


class Dependence(Strict):
    """Partial dependence on a column.

    Attributes:
      column: the raw column.
      type: how its points are chosen: at quantiles for numbers and times, else common values.
      rows: how many rows the means are over.
      points: numbers and times ascending, categories from the commonest; a missing value last.
    """

    column: str
    type: Literal["number", "category", "time"]
    rows: int
    points: tuple[DependencePoint, ...]


class Leak(Strict):
    """A column that alone predicts nearly everything.

    Attributes:
      column: the raw column.
      measure: "auc", "accuracy" or "r2".
      alone: the measure of the mean label of each of the column's values.
      model: the measure of the model, on the same rows.
      says: what to check, in a sentence.
    """

    column: str
    measure: Literal["auc", "accuracy", "r2"]
    alone: float
    model: float
    says: str


class UnhelpfulColumns(Strict):
    """Raw columns that can be dropped together.

    Attributes:
      columns: one, or those that only act together.
      drop: what permuting them alone costs; None if it was not measured.
    """

    columns: tuple[str, ...]
    drop: float | None = None


class Unhelpful(Strict):
    """Columns that do not help, alone and together: see `components.explain.unhelpful`.

    Attributes:
      columns: those that move the scores least first.
      together: what permuting all of them costs; None if there are none.
    """

    columns: tuple[UnhelpfulColumns, ...]
    together: Cost | None


class Explained(Strict):
    """The content of explanation.json.

    Attributes:
      format: the version of the file's layout.
      importance: what the model's metric depends on.
      dependence: of the most important columns, in descending order of importance.
      leaks: columns that predict nearly everything, the best first.
      unhelpful: columns that `skewless run --select importance` drops.
    """

    format: Literal[1] = 1
    importance: Importance
    dependence: tuple[Dependence, ...]
    leaks: tuple[Leak, ...]
    unhelpful: Unhelpful

    def write(self, folder: str) -> None:
        """Write explanation.json into the folder."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, folder: str) -> Explained:
        """Read a folder's explanation.json."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))
