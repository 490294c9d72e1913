"""The options of `target_mean`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from schemas.errors import ConfigError
from schemas.strict import Finite
from schemas.treatments.label_encoding import LabelEncoding

if TYPE_CHECKING:
    from schemas.tasks.options import TaskOptions


class TargetMean(LabelEncoding):
    """The mean of the label over the training rows of a value, smoothed and standardized.

    It is (mean - overall mean) / standard deviation of the label. With a number as `smoothing`, the
    overall mean counts as that many rows (Micci-Barreca 2001, "A preprocessing scheme for
    high-cardinality categorical attributes"); with `auto`, its share follows from the variances
    (empirical Bayes, as in scikit-learn's TargetEncoder). Of several classes, each of `classes` has
    a feature: the share of its rows.
    """

    kind: Literal["target_mean"] = "target_mean"
    smoothing: Annotated[Finite, Field(gt=0)] | Literal["auto"] = 10.0
    classes: tuple[str, ...] = ()

    @property
    def of_classes(self) -> tuple[str, ...]:
        """The classes that are named."""
        return self.classes

    def check_label(self, label: TaskOptions, *, where: str) -> None:
        """Check that there are classes if the label has several."""
        if (label.task == "multiclass") != bool(self.classes):
            raise ConfigError(
                f"target_mean has {'' if self.classes else 'no '}classes, and the task is"
                f" {label.task}",
                where=where,
                expected="classes, each of which becomes a feature, for multiclass alone",
                remedy="remove them" if self.classes else "write classes: [A, B] for it",
            )
