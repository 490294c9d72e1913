"""Counts of records that became examples, or not, and why: `counts.json` beside the examples.

Ingest writes the file; stages that judge the data read it back as the same value.
"""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import Field

from components import files
from schemas.errors import DataError
from schemas.strict import Strict

FILE_NAME = "counts.json"
Rows = Annotated[int, Field(ge=0)]


class LabelFacts(Strict):
    """The label of the rows of a split, by their weights if they have any.

    Attributes:
      mean: of a label that is a number.
      positive: the share of 1 of a label that a rule makes.
      classes: the share of each class, the largest first.
    """

    mean: float | None = None
    positive: float | None = None
    classes: dict[str, float] | None = None


class SplitFacts(Strict):
    """What is in a split.

    Attributes:
      rows: how many rows.
      label: what the label is; None without rows, or if there are too many classes.
      time: the earliest and the latest time, as text, or as whole numbers if the column has them;
        None if the split has no times.
      folds: how many rows of train are in each fold, if there are folds.
    """

    rows: Rows
    label: LabelFacts | None = None
    time: tuple[int | str, int | str] | None = None
    folds: tuple[Rows, ...] | None = None


class Counts(Strict):
    """Counts of the records that were read.

    Attributes:
      records_read: records of the source, without header lines and blank lines.
      examples: examples by split.
      records_rejected: records that are not rows.
      rejected_by_reason: the same by reason (see `components.sources.rejects`).
      records_dropped: rows that a rule of pipeline.yaml keeps out of the examples.
      dropped_by_rule: the same by rule.
      repeated: examples that are there because a sample repeats rows.
      sampled: by class, how many training rows there were before a sample by class, and after.
      splits: what is in each split.
      read_by_span: records of each span, where the source has spans.
    """

    records_read: Rows
    examples: dict[str, Rows]
    records_rejected: Rows
    rejected_by_reason: dict[str, Rows]
    records_dropped: Rows = 0
    dropped_by_rule: dict[str, Rows] = Field(default_factory=dict)
    repeated: Rows = 0
    sampled: dict[str, tuple[Rows, Rows]] = Field(default_factory=dict)
    splits: dict[str, SplitFacts] = Field(default_factory=dict)
    read_by_span: dict[str, Rows] = Field(default_factory=dict)

    def check(self) -> None:
        """Check that every record is accounted for.

        Raises:
          DataError: it is not, which is a bug of this program.
        """
        written = sum(self.examples.values())
        reasons = sum(self.rejected_by_reason.values())
        rules = sum(self.dropped_by_rule.values())
        elsewhere = self.records_rejected + self.records_dropped
        known = written - self.repeated + elsewhere
        if self.records_read != known or reasons + rules != elsewhere:
            raise DataError(
                f"records are unaccounted for: {self.records_read} read, {written} examples, "
                f"{self.repeated} of them repeated, "
                f"{self.records_rejected} rejected, {reasons} of them with a reason, "
                f"{self.records_dropped} dropped, {rules} of them by a rule",
                expected="read = examples - repeated + rejected + dropped",
                remedy="this is a bug in skewless, not in the data: please report it",
            )

    def write(self, uri: str) -> None:
        """Write `counts.json` into the examples' folder."""
        text = self.model_dump_json(indent=2, exclude_none=True)
        files.write_whole(os.path.join(uri, FILE_NAME), text + "\n")

    @classmethod
    def read(cls, uri: str) -> Counts | None:
        """Read the counts; return None if another component wrote the examples."""
        try:
            return cls.model_validate_json(files.read_bytes(os.path.join(uri, FILE_NAME)))
        except FileNotFoundError:
            return None
