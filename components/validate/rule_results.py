"""What a rule of `validation.rules` gave for a split, as a plain value."""

from __future__ import annotations

from typing import Literal

from schemas.strict import Strict


class RuleResult(Strict):
    """What a rule gave for a split.

    Attributes:
      name: the rule's.
      expression: its condition.
      split: the split.
      severity: of a rule that does not hold.
      holds: whether the split is as the rule says; a figure that is not known breaks no rule.
      measured: the share of rows that fail, or the figures, in words.
      threshold: what is allowed, in words.
      value: the share, or the figure where there is one; None where it is not known.
      samples: some of the rows that fail.
    """

    name: str
    expression: str
    split: str
    severity: Literal["warning", "error"]
    holds: bool
    measured: str
    threshold: str
    value: float | None = None
    samples: tuple[str, ...] = ()
