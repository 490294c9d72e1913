"""The options of `multiclass`: one of several classes, each with a probability."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas import signatures as names
from schemas.calibration import OF_PROBABILITIES
from schemas.columns import Column, require_type
from schemas.description import Output, number
from schemas.errors import ConfigError
from schemas.expectations import Expectation
from schemas.sources.options import SourceOptions
from schemas.strict import require_known
from schemas.tasks.class_weights import ClassWeights, named_in, require_classes, weighed_in_words
from schemas.tasks.options import (
    SPREAD_MEANING,
    Baseline,
    Bound,
    ClassesOf,
    Coverage,
    ExportOptions,
    Metric,
    TaskOptions,
    ThresholdOptions,
    named_as_its_column,
    require_possible,
)
from schemas.types import BYTES, CATEGORIES, INT

# A softmax over more classes is slow, and so is a confusion matrix.
MOST_CLASSES = 1_000
TOP = 3  # unless `top_k` says otherwise
_TOP_ACCURACY = re.compile("top_[0-9]+_accuracy")

_ABSENT = "no class has both rows of its own and rows of others in the test split"


class MulticlassThresholds(ThresholdOptions):
    """Bounds on the metrics of several classes.

    The accuracy among the likeliest classes has their number in its name, which `label.top_k` says.
    """

    model_config = pydantic.ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Bound] = Field(init=False)  # of another number

    task: Literal["multiclass"] = "multiclass"
    accuracy: Bound = Bound()
    top_3_accuracy: Bound = Bound()
    macro_f1: Bound = Bound()
    weighted_f1: Bound = Bound()
    log_loss: Bound = Bound()
    macro_auc: Bound = Bound()
    calibration_error: Bound = Bound()

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            others = [key for key in value if not _TOP_ACCURACY.fullmatch(str(key))]
            require_known(others, cls.model_fields)
        return value


class MulticlassExport(ExportOptions):
    """What the signatures `predict` and `classification` answer with."""

    task: Literal["multiclass"] = "multiclass"
    coverage: Coverage | None = None  # of the set of classes that `predict` returns

    METHODS = (names.CLASSIFICATION,)

    @property
    def covered_share(self) -> float | None:
        """The share of rows whose class is in the set."""
        return self.coverage

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the classes, in the order of their probabilities."""
        return tuple(learned.get("classes", ()))

    def outputs(self, learned: Mapping[str, Any]) -> dict[str, tuple[Output, ...]]:
        """Return the outputs: the likeliest class, its probability, and those of all classes."""
        count = len(self.class_names(learned))
        each = "probability of each class, in the order of `classes` in model.json"

        def list_of(name: str, dtype: str, meaning: str) -> Output:
            return Output(name=name, dtype=dtype, shape=(count,), meaning=meaning)

        logits = list_of(names.LOGITS, "float32", "logits of the probabilities")
        return {
            names.RAW_COLUMNS: (list_of(names.SCORES, "float32", each), logits),
            names.PREDICT: (
                number(names.SCORE, "probability of the likeliest class"),
                Output(name=names.CLASS, dtype="string", shape=(), meaning="the likeliest class"),
                list_of(names.PROBABILITIES, "float32", each),
                logits,
                *self._uncertainty(list_of),
            ),
            names.CLASSIFICATION: (
                list_of(names.CLASSES, "string", "the names of all classes"),
                list_of(names.SCORES, "float32", "probability of each"),
            ),
        }

    def _uncertainty(self, list_of: Callable[[str, str, str], Output]) -> Iterator[Output]:
        if self.coverage is not None:
            meaning = f"1 for each class of a set with the right one in {self.coverage:g} of rows"
            yield list_of(names.PREDICTION_SET, "float32", meaning)
        if self.spread:
            yield list_of(names.SPREAD, "float32", SPREAD_MEANING)


class Multiclass(TaskOptions):
    """The value of a column, one of several.

    The classes are the values of the training split, the most frequent first, unless `classes`
    lists them.
    """

    task: Literal["multiclass"] = "multiclass"
    column: str
    classes: Annotated[tuple[str, ...], Field(min_length=2, max_length=MOST_CLASSES)] | None = None
    class_weights: ClassWeights = None  # in the training loss
    top_k: Annotated[int, Field(ge=2, le=MOST_CLASSES)] = (
        TOP  # the likeliest that evaluation counts
    )

    EXPORT = MulticlassExport
    THRESHOLDS = MulticlassThresholds
    BASELINES = (
        Baseline("shares", "class shares", "predicting the shares of the classes"),
        Baseline("logistic", "logistic regression", "the logistic model"),
    )
    METRICS = (
        Metric("accuracy", "accuracy", "higher", "Share of rows whose likeliest class is right."),
        Metric(
            f"top_{TOP}_accuracy",
            f"top-{TOP} accuracy",
            "higher",
            f"Share of rows whose class is one of the {TOP} likeliest.",
            "there are no more classes than label.top_k",
            number=TOP,
        ),
        Metric("macro_f1", "macro F1", "higher", "Mean F1 score of the classes that have rows."),
        Metric(
            "weighted_f1",
            "weighted F1",
            "higher",
            "Mean F1 score of the classes, weighted by their rows.",
        ),
        Metric("log_loss", "log-loss", "lower", "Mean negative log-likelihood in nats."),
        Metric(
            "macro_auc",
            "macro AUC",
            "higher",
            "Mean over the classes of the AUC of each one against the rest.",
            _ABSENT,
        ),
        Metric(
            "calibration_error",
            "calibration error",
            "lower",
            "Mean over the classes of the expected calibration error over 15 cells.",
        ),
    )
    OBJECTIVE = "log_loss"
    SLICED = ("log_loss", "accuracy", "macro_f1")
    CALIBRATIONS = ("auto", *OF_PROBABILITIES)
    LABEL_TYPE = INT
    EVALUATION_ONLY = frozenset({"top_k"})

    @pydantic.model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return named_as_its_column(value)

    @pydantic.field_validator("classes")
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not all(value) or len(set(value)) < len(value)):
            raise ValueError(f"give the classes different names, got {list(value)}")
        return value

    @pydantic.model_validator(mode="after")
    def _weights_of_classes(self) -> Multiclass:
        if self.classes is not None:
            require_classes(self.class_weights, self.classes)
        return self

    @classmethod
    def suits(cls, column: Column, expectation: Expectation) -> bool:
        """Return whether it is a text, unless its domain has two values."""
        return column.type is BYTES and len(expectation.values or ()) != 2

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def classes_of(self) -> ClassesOf:
        """The column, with the classes that are listed, if they are."""
        remedy = "predict a coarser column, or a number with label.task: regression"
        named = named_in(self.class_weights)
        return ClassesOf(self.column, self.classes, MOST_CLASSES, remedy, named)

    @property
    def objective(self) -> str:
        """The metric of the loss; with class weights macro F1, where all classes count the same."""
        return self.OBJECTIVE if self.class_weights is None else "macro_f1"

    def check(self, columns: tuple[Column, ...], source: SourceOptions, *, where: str) -> None:
        """Check the type of the column, and that each listed class can occur."""
        for column in columns:
            require_type("label.column", column, CATEGORIES, where)
            for value in self.classes or ():
                require_possible(value, column, source, f"{where}.classes")

    def check_thresholds(self, thresholds: ThresholdOptions, *, where: str) -> None:
        """Check that the only accuracy among the likeliest classes is that of `top_k`."""
        own = f"top_{self.top_k}_accuracy"
        for name in thresholds.model_fields_set | set(thresholds.model_extra or ()):
            if _TOP_ACCURACY.fullmatch(name) and name != own and thresholds.bound(name) != Bound():
                raise ConfigError(
                    f"nothing measures {name}, which has a threshold: label.top_k is {self.top_k}",
                    where=f"{where}: evaluation.thresholds",
                    expected=f"a bound of {own}",
                    remedy="change the threshold's number, or label.top_k",
                )

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the values of the column, or those that are listed."""
        return tuple(learned["classes"])

    @property
    def weighed(self) -> str:
        """How rows are weighed: by their weights, and in training by their classes."""
        return super().weighed + weighed_in_words(self.class_weights)

    def in_words(self) -> str:
        """Return which column is predicted.

        >>> Multiclass(column="species").in_words()
        "species: which value 'species' has"
        """
        return f"{self.name}: which value {self.column!r} has"
