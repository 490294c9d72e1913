"""What a comparison of requests with training data came to, as plain values."""

from __future__ import annotations

from pydantic import Field

from components.validate.findings import Finding
from schemas.strict import Strict

MISSING = "MISSING_SHARE"


class NewValue(Strict):
    """A value that no training example has, and its share among the requests' values."""

    value: str
    share: float


class Moved(Strict):
    """How far one column of the requests is from the training split's, by one measure.

    Attributes:
      column: the raw column.
      measure: "L_INFTY" (largest difference of a value's share), "JENSEN_SHANNON_DIVERGENCE" (in
        bits, 0 to 1), or "MISSING_SHARE" (difference of the shares of rows without a value).
      value: what was measured.
      threshold: from which on it counts.
      chance: what data that did not move stay under: what two samples of one source, of these
        sizes, stay under 999 times in 1,000, and twice what the run's own held-out splits show.
      moved: whether it is beyond both.
      missing_training: share of training rows without a value.
      missing_requests: share of requests' rows without a value.
      new_values: the most frequent ones that training does not have.
    """

    column: str
    measure: str
    value: float
    threshold: float
    chance: float
    moved: bool
    missing_training: float
    missing_requests: float
    new_values: tuple[NewValue, ...] = ()


class Skew(Strict):
    """What came of comparing requests with training data.

    Attributes:
      rows: of the requests.
      training_rows: of the training split.
      signatures: rows by the signature that was asked.
      cut: files whose end is cut off, each with the records before it.
      damaged: files with damage before their end, each with the number of places.
      unreadable: records that are not a PredictionLog, or hold values that a column cannot have.
      unreadable_rows: rows of other records that cannot be read.
      ignored: inputs that are not columns of the model, with their rows.
      passed_over: records that hold no row of these columns.
      notes: what a reader has to know, such as that the rows are too few.
      columns: every measure of every column, what moved most first.
      anomalies: what the schema does not allow in requests.
    """

    rows: int
    training_rows: int
    signatures: dict[str, int]
    cut: dict[str, int]
    damaged: dict[str, int] = Field(default_factory=dict)
    unreadable: int = 0
    unreadable_rows: int = 0
    ignored: dict[str, int]
    passed_over: int
    notes: tuple[str, ...]
    columns: tuple[Moved, ...]
    anomalies: tuple[Finding, ...]

    @property
    def moved(self) -> tuple[Moved, ...]:
        """What is beyond its threshold."""
        return tuple(each for each in self.columns if each.moved)
