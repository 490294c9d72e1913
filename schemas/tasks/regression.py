"""The options of `regression`: a number, in its own unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas import signatures as names
from schemas.columns import Column, require_type
from schemas.description import Output, number
from schemas.expectations import Expectation
from schemas.sources.options import SourceOptions
from schemas.strict import Finite
from schemas.tasks.options import (
    SPREAD_MEANING,
    Baseline,
    Bound,
    Coverage,
    ExportOptions,
    Metric,
    TaskOptions,
    ThresholdOptions,
    named_as_its_column,
)
from schemas.types import FLOAT, INT

_NO_SPREAD = "all labels of the test split are equal"
_Level = Annotated[Finite, Field(gt=0, lt=1)]
_ZEROS = "all labels of the test split are 0"


class RegressionThresholds(ThresholdOptions):
    """Bounds on the errors of a number, in the label's unit."""

    task: Literal["regression"] = "regression"
    rmse: Bound = Bound()
    mae: Bound = Bound()
    mape: Bound = Bound()
    r2: Bound = Bound()
    pinball: Bound = Bound()
    poisson_deviance: Bound = Bound()
    calibration_error: Bound = Bound()


class RegressionExport(ExportOptions):
    """What the signatures `predict` and `regression` answer with."""

    task: Literal["regression"] = "regression"
    coverage: Coverage | None = None  # of the interval that `predict` returns

    METHODS = (names.REGRESSION,)

    @property
    def covered_share(self) -> float | None:
        """The share of rows whose label is between the ends."""
        return self.coverage

    def outputs(self, learned: Mapping[str, Any]) -> dict[str, tuple[Output, ...]]:
        """Return the outputs: the prediction, in the label's unit."""
        meaning = "the predicted number, in the label's unit"
        return {
            names.RAW_COLUMNS: (number(names.SCORES, meaning),),
            names.PREDICT: (
                number(names.PREDICTION, meaning),
                *self._interval(),
                *([number(names.SPREAD, SPREAD_MEANING)] if self.spread else []),
            ),
            names.REGRESSION: (number(names.OUTPUTS, meaning),),
        }

    def _interval(self) -> tuple[Output, ...]:
        if self.coverage is None:
            return ()
        share = f"that the label is in with probability {self.coverage:g}"
        return (
            number(names.LOWER, f"the least number of the interval {share}"),
            number(names.UPPER, "the greatest number of it"),
        )


class Regression(TaskOptions):
    """A number in a column.

    The model predicts the mean of such rows, unless `quantile` is given. With `log1p` it predicts
    from the mean of the logarithms. Predictions are always in the label's unit.

    With `interval` the model also learns two quantiles of such rows, around which the intervals of
    `export.coverage` reach (Romano et al. 2019, arXiv:1905.03222): they are then narrower where
    labels vary less.
    """

    task: Literal["regression"] = "regression"
    column: str
    log1p: bool = False  # learn log(1 + y): for long tails of numbers that are not negative
    clip: tuple[Finite, Finite] | None = None  # the least and the greatest prediction
    quantile: _Level | None = None  # by the pinball loss
    poisson: bool = False  # of counts: the logarithm of the mean, by the Poisson loss
    interval: tuple[_Level, _Level] | None = None  # the levels of two quantiles, such as 0.05, 0.95

    EXPORT = RegressionExport
    THRESHOLDS = RegressionThresholds
    BASELINES = (
        Baseline("mean", "mean", "predicting the mean"),
        Baseline("linear", "linear regression", "the linear model"),
    )
    METRICS = (
        Metric("rmse", "RMSE", "lower", "Root of the mean squared error, in the label's unit."),
        Metric("mae", "MAE", "lower", "Mean absolute error, in the label's unit."),
        Metric(
            "mape",
            "MAPE",
            "lower",
            "Mean absolute error as a share of the label, over rows whose label is not 0.",
            _ZEROS,
        ),
        Metric(
            "r2", "R²", "higher", "Share of the labels' variance that is explained.", _NO_SPREAD
        ),
        Metric(
            "pinball",
            "pinball loss",
            "lower",
            "Mean pinball loss at `label.quantile`, or at the median where none is given.",
            optional=True,
        ),
        Metric(
            "poisson_deviance",
            "Poisson deviance",
            "lower",
            "Mean Poisson deviance.",
            "a label is negative, or a prediction is not positive",
            optional=True,
        ),
        Metric(
            "calibration_error",
            "calibration error",
            "lower",
            "Mean distance between the mean prediction and the mean label of each tenth of the rows"
            " by prediction, in the label's unit.",
        ),
    )
    OBJECTIVE = "rmse"
    SLICED = ("rmse", "mae", "r2")
    CALIBRATIONS = ("quantile",)
    LABEL_TYPE = FLOAT

    @pydantic.model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return named_as_its_column(value)

    @pydantic.model_validator(mode="after")
    def _fit(self) -> Regression:
        if self.poisson and (self.log1p or self.quantile is not None):
            raise ValueError("'poisson' fits neither 'log1p' nor 'quantile'")
        if self.interval is not None:
            if self.poisson or self.quantile is not None:
                raise ValueError("'interval' fits neither 'poisson' nor 'quantile'")
            if not self.interval[0] < self.interval[1]:
                raise ValueError(f"give 'interval' the smaller level first: {list(self.interval)}")
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise ValueError(f"give 'clip' the smaller number first, got {list(self.clip)}")
        return self

    @classmethod
    def suits(cls, column: Column, expectation: Expectation) -> bool:
        """Return whether it is a FLOAT."""
        return column.type is FLOAT

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def objective(self) -> str:
        """The metric of the loss: RMSE where it has none of its own."""
        if self.poisson:
            return "poisson_deviance"
        return "rmse" if self.quantile is None else "pinball"

    def check(self, columns: tuple[Column, ...], source: SourceOptions, *, where: str) -> None:
        """Check the type of the column."""
        for column in columns:
            require_type("label.column", column, (INT, FLOAT), where)

    def in_words(self) -> str:
        """Return which number is predicted.

        >>> Regression(column="price", quantile=0.9).in_words()
        "price: the 0.9 quantile of 'price'"
        """
        what = "number in" if self.quantile is None else f"{self.quantile:g} quantile of"
        return f"{self.name}: the {what} {self.column!r}"
