"""What the data of a run are compared with, besides the splits with each other."""

from __future__ import annotations

from dataclasses import dataclass

from components.validate.findings import Severity


@dataclass(frozen=True)
class MeasuredRows:
    """The statistics of some rows.

    Attributes:
      folder: as `statistics.generate` made it.
      split: the split.
    """

    folder: str
    split: str


@dataclass(frozen=True)
class ComparedRows:
    """Two data that are compared, such as two spans.

    Attributes:
      of: the name of the data that may have drifted, such as "span 12".
      against: the name of the data that they are compared with, such as "span 11".
      current: statistics of the former.
      before: statistics of the latter.
      severity: of a drift above the threshold.
    """

    of: str
    against: str
    current: MeasuredRows
    before: MeasuredRows
    severity: Severity
