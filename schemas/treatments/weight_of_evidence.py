"""The options of `weight_of_evidence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from schemas.errors import ConfigError
from schemas.strict import Finite
from schemas.treatments.label_encoding import LabelEncoding

if TYPE_CHECKING:
    from schemas.tasks.options import TaskOptions


class WeightOfEvidence(LabelEncoding):
    """The log odds of class 1 among the training rows of a value, less those of all rows.

    Good (1950), "Probability and the Weighing of Evidence": log of P(value | 1) / P(value | 0). The
    overall share of class 1 counts as `smoothing` rows.
    """

    kind: Literal["weight_of_evidence"] = "weight_of_evidence"
    smoothing: Annotated[Finite, Field(gt=0)] = 10.0

    def check_label(self, label: TaskOptions, *, where: str) -> None:
        """Check that the label has two classes."""
        if label.task != "binary":
            raise ConfigError(
                f"weight_of_evidence takes a label of two classes, and the task is {label.task}",
                where=where,
                expected="the task binary",
                remedy="use target_mean",
            )
