"""How the columns of the training rows relate to what is predicted, and to each other.

Rows are counted by the bins of each column and by the outcome, in the pass that computes the
statistics. The result, relations.json beside the statistics, is for people: no stage reads it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from components import files
from components.validate.files import RELATIONS
from schemas.strict import Strict


class Estimate(Strict):
    """A share or a mean, with the ends of its 95 % interval; None without such rows."""

    value: float | None
    low: float | None = None
    high: float | None = None


class BinRelation(Strict):
    """The rows in one bin of a column.

    Attributes:
      kind: "range" of numbers from `low` to `high`, "value", "rest" for all other values, or
        "missing".
      low: the least number.
      high: what all numbers are below; in the last bin, the greatest of a sample.
      value: the value.
      rows: how many there are.
      estimates: the share of each class that is shown, or the mean.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    value: str | None = None
    rows: int
    estimates: tuple[Estimate, ...]


class ColumnRelation(Strict):
    """How a column relates to the outcome.

    Attributes:
      column: its name.
      strength: the share of the outcome's variance that the bins explain, less what chance would
        explain (epsilon squared, Kelley 1935; of several classes, of the sum of the variances).
      distinct: of a column of numbers, how many different ones the sample has.
      bins: those with rows.
    """

    column: str
    strength: float
    distinct: int | None
    bins: tuple[BinRelation, ...]


class SplitOutcome(Strict):
    """The outcome in a split: its rows, and the share of each class that is shown, or the mean."""

    rows: int
    estimates: tuple[Estimate, ...]


class Correlations(Strict):
    """Rank correlations of columns of numbers, in the sample.

    Attributes:
      columns: their names.
      matrix: the correlation of each with each; None where no two rows have both.
    """

    columns: tuple[str, ...] = ()
    matrix: tuple[tuple[float | None, ...], ...] = ()


class Relations(Strict):
    """The content of relations.json.

    Attributes:
      outcome: the label's name.
      classes: the classes that are shown; empty where a number is predicted.
      weight: the column by which rows count; None if all count the same.
      sample: how many training rows decided the bins.
      splits: the outcome in each split.
      columns: every column that has bins.
      correlations: of the columns of numbers that relate most to the outcome.
    """

    outcome: str
    classes: tuple[str, ...]
    weight: str | None
    sample: int
    splits: dict[str, SplitOutcome]
    columns: tuple[ColumnRelation, ...]
    correlations: Correlations

    def write(self, folder: str) -> None:
        """Write relations.json into the folder."""
        files.write_whole(os.path.join(folder, RELATIONS), self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: str) -> Relations | None:
        """Read a folder's relations.json; return None if the statistics are without it."""
        try:
            return cls.model_validate_json(files.read_bytes(os.path.join(folder, RELATIONS)))
        except FileNotFoundError:
            return None


def strongest(columns: Sequence[ColumnRelation], most: int) -> list[str]:
    """Return the names of the columns that relate most to the outcome, the strongest first."""
    ranked = sorted(columns, key=lambda each: (-each.strength, each.column))
    return [each.column for each in ranked[:most]]
