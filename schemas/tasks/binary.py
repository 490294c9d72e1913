"""The options of `binary`: a label of two classes, and the probability of the second one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas import signatures as names
from schemas.calibration import OF_PROBABILITIES
from schemas.columns import Column, require_type
from schemas.description import Output, number
from schemas.expectations import Expectation
from schemas.sources.options import SourceOptions
from schemas.strict import Finite, Strict
from schemas.tasks.class_weights import ClassWeights, named_in, require_classes, weighed_in_words
from schemas.tasks.options import (
    SPREAD_MEANING,
    Above,
    Baseline,
    Bound,
    ClassesOf,
    ExportOptions,
    Metric,
    TaskOptions,
    ThresholdOptions,
    named_as_its_column,
    require_possible,
)
from schemas.types import BOOL, CATEGORIES, FLOAT, INT

RULE_CLASSES = ("0", "1")  # of a label that is made by a rule

_ONE_CLASS = "the test split holds labels of one class only"


def _texts_or_integers(value: Any) -> Any:
    """Refuse what YAML makes of an unquoted word: `No` is false, which equals the integer 0."""
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(each, bool) or not isinstance(each, (str, int)):
            raise ValueError(
                f"{each!r} is neither text nor an integer; text that YAML reads as something"
                " else, such as No, 1.5 or 2026-11-21, needs quotes"
            )
    return value


_Value = Annotated[str | int, pydantic.BeforeValidator(_texts_or_integers)]


class Equals(Strict):
    """The label is 1 where `column` is one of `values`."""

    column: str
    values: Annotated[
        tuple[str | int, ...],
        Field(min_length=1),
        pydantic.BeforeValidator(_texts_or_integers),
    ]


class Exceeds(Strict):
    """The label is 1 where `column` > `fraction` * `of`, all three as float32."""

    column: str
    fraction: Finite
    of: str


class BinaryThresholds(ThresholdOptions):
    """Bounds on the metrics of two classes."""

    task: Literal["binary"] = "binary"
    auc: Bound = Bound(min=0.5)
    pr_auc: Bound = Bound()
    log_loss: Bound = Bound()
    accuracy: Bound = Bound()
    calibration_error: Bound = Bound()


class BinaryExport(ExportOptions):
    """What the signatures `predict` and `classification` answer with."""

    task: Literal["binary"] = "binary"
    # The type is strict because YAML's `No` is false, not text.
    classes: tuple[pydantic.StrictStr, pydantic.StrictStr] | None = None  # where the label is 0, 1
    threshold: Annotated[Finite, Field(gt=0, lt=1)] | None = None  # 0.5 unless given

    METHODS = (names.CLASSIFICATION, names.REGRESSION)

    @pydantic.field_validator("classes")
    @classmethod
    def _two(cls, value: tuple[str, str] | None) -> tuple[str, str] | None:
        if value is not None and (not all(value) or value[0] == value[1]):
            raise ValueError(f"give the classes two different names, got {list(value)}")
        return value

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, str]:
        """Return the names of the classes: those given, else the values of the label's column."""
        first, second = self.classes or learned.get("classes", RULE_CLASSES)
        return first, second

    @property
    def decision(self) -> float:
        """The least score of a row of the second class."""
        return 0.5 if self.threshold is None else self.threshold

    @property
    def decision_chosen(self) -> bool:
        """Whether pipeline.yaml gives a threshold."""
        return self.threshold is not None

    def outputs(self, learned: Mapping[str, Any]) -> dict[str, tuple[Output, ...]]:
        """Return the outputs: the score, the class that follows from it, and both probabilities."""
        first, second = self.class_names(learned)
        probability = f"probability of {second!r}"
        logits = number(names.LOGITS, "log-odds of the score")
        return {
            names.RAW_COLUMNS: (number(names.SCORES, probability), logits),
            names.PREDICT: (
                number(names.SCORE, probability),
                Output(
                    name=names.CLASS,
                    dtype="string",
                    shape=(),
                    meaning=f"{second!r} where the score is {self.decision:.15g} or more, else"
                    f" {first!r}",
                ),
                Output(
                    name=names.PROBABILITIES,
                    dtype="float32",
                    shape=(2,),
                    meaning=f"those of {first!r} and {second!r}",
                ),
                logits,
                *([number(names.SPREAD, SPREAD_MEANING)] if self.spread else []),
            ),
            names.CLASSIFICATION: (
                Output(
                    name=names.CLASSES,
                    dtype="string",
                    shape=(2,),
                    meaning=f"always {first!r} and {second!r}",
                ),
                Output(
                    name=names.SCORES, dtype="float32", shape=(2,), meaning="probability of each"
                ),
            ),
            names.REGRESSION: (number(names.OUTPUTS, probability),),
        }


class Binary(TaskOptions):
    """A binary label, made from raw columns inside the transform graph.

    The label of a `column` with two values is 1 where it has the value `positive`; see
    `two_values.in_order` for a column without it.
    """

    task: Literal["binary"] = "binary"
    column: str | None = None
    positive: _Value | None = None
    equals: Equals | None = None
    exceeds: Exceeds | None = None
    class_weights: ClassWeights = None  # in the training loss; classes of a rule are 0 and 1

    METRICS = (
        Metric(
            "auc",
            "AUC",
            "higher",
            "Area under the ROC curve, ties counting half.",
            _ONE_CLASS,
        ),
        Metric(
            "pr_auc",
            "PR AUC",
            "higher",
            "Average precision, sum of (R_n - R_{n-1}) P_n.",
            _ONE_CLASS,
        ),
        Metric("log_loss", "log-loss", "lower", "Mean negative log-likelihood in nats."),
        Metric(
            "accuracy",
            "accuracy",
            "higher",
            "Share of rows on the right side of 0.5; a score of 0.5 predicts label 1.",
        ),
        Metric(
            "calibration_error",
            "calibration error",
            "lower",
            "Expected calibration error over 15 cells of equal width.",
        ),
        Metric("base_rate", "share of positives", None, "Rows with label 1 over all rows."),
    )
    EXPORT = BinaryExport
    THRESHOLDS = BinaryThresholds
    BASELINES = (
        Baseline("base_rate", "base rate", "predicting the base rate"),
        Baseline("logistic", "logistic regression", "the logistic model"),
    )
    OBJECTIVE = "log_loss"
    SLICED = ("log_loss", "auc", "accuracy")
    CALIBRATIONS = ("auto", *OF_PROBABILITIES)
    LABEL_TYPE = INT

    @pydantic.model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return named_as_its_column(value)

    @pydantic.model_validator(mode="after")
    def _one(self) -> Binary:
        if [self.column, self.equals, self.exceeds].count(None) != 2:
            raise ValueError("give exactly one of 'column', 'equals' and 'exceeds'")
        if self.positive is not None and self.column is None:
            raise ValueError("'positive' is a value of 'column', which is not given")
        if self.column is None:
            require_classes(self.class_weights, RULE_CLASSES)
        return self

    @classmethod
    def suits(cls, column: Column, expectation: Expectation) -> bool:
        """Return whether its domain has two values, or is 0 and 1."""
        if expectation.values is not None:
            return len(expectation.values) == 2
        return column.type in (INT, BOOL) and (expectation.minimum, expectation.maximum) == (0, 1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that the label is made from, the outcome first."""
        if self.column is not None:
            return (self.column,)
        if self.equals is not None:
            return (self.equals.column,)
        assert self.exceeds is not None  # _one checks it
        return (self.exceeds.column, self.exceeds.of)

    @property
    def sought(self) -> tuple[str, tuple[str, ...]] | None:
        """The values that make the label 1, if they are given."""
        if self.column is not None and self.positive is not None:
            return self.column, (str(self.positive),)
        if self.equals is None:
            return None
        return self.equals.column, tuple(str(value) for value in self.equals.values)

    @property
    def above(self) -> Above | None:
        """The rule of `exceeds`."""
        rule = self.exceeds
        return None if rule is None else Above(rule.column, rule.fraction, rule.of)

    @property
    def objective(self) -> str:
        """The metric of the loss; with class weights AUC, to which shares do not matter."""
        return self.OBJECTIVE if self.class_weights is None else "auc"

    @property
    def classes_of(self) -> ClassesOf | None:
        """The column, if the label is one; it has two values."""
        if self.column is None:
            return None
        remedy = "set label.task: multiclass"
        return ClassesOf(self.column, None, 2, remedy, named_in(self.class_weights))

    def check(self, columns: tuple[Column, ...], source: SourceOptions, *, where: str) -> None:
        """Check the types of the columns, and that each value can occur."""
        for column in columns:
            if self.exceeds is not None:
                require_type("label.exceeds", column, (INT, FLOAT), where)
            elif self.equals is not None:
                require_type("label.equals", column, CATEGORIES, where)
                for value in self.equals.values:
                    require_possible(value, column, source, f"{where}.equals.values")
            else:
                require_type("label.column", column, CATEGORIES, where)
                if self.positive is not None:
                    require_possible(self.positive, column, source, f"{where}.positive")

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the two values of the column, or 0 and 1 of a rule."""
        return tuple(learned.get("classes", RULE_CLASSES))

    @property
    def weighed(self) -> str:
        """How rows are weighed: by their weights, and in training by their classes."""
        return super().weighed + weighed_in_words(self.class_weights)

    def in_words(self) -> str:
        """Return when the label is 1.

        >>> Binary(name="rich", equals={"column": "pay", "values": [">50K"]}).in_words()
        "rich: whether 'pay' is '>50K'"
        """
        if self.column is not None:
            if self.positive is None:
                return f"{self.name}: which of its two values {self.column!r} has"
            return f"{self.name}: whether {self.column!r} is {self.positive!r}"
        if self.equals is not None:
            values = " or ".join(repr(value) for value in self.equals.values)
            return f"{self.name}: whether {self.equals.column!r} is {values}"
        assert self.exceeds is not None  # _one checks it
        rule = self.exceeds
        limit = f"{rule.of!r}" if rule.fraction == 1 else f"{rule.fraction:.15g} times {rule.of!r}"
        return f"{self.name}: whether {rule.column!r} is more than {limit}"
