"""What every task has: a label, bounds on its metrics, and answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.columns import LARGEST_INTEGER, SPACES, Column
from schemas.description import Output
from schemas.errors import ConfigError
from schemas.expectations import Expectation
from schemas.sources.options import SourceOptions
from schemas.strict import Finite, Strict
from schemas.types import ColumnType
from schemas.yaml_text import PLAIN_INTEGER


@dataclass(frozen=True)
class Baseline:
    """A simpler model that a good model has to beat.

    Attributes:
      name: its key in metrics.json.
      title: its name on pages.
      phrase: the same after "does not beat".
    """

    name: str
    title: str
    phrase: str


@dataclass(frozen=True)
class Metric:
    """A figure that evaluation measures.

    Attributes:
      name: its key in metrics.json, model.json and `evaluation.thresholds`.
      title: its name on pages.
      better: which values are better; None for a figure that describes the rows.
      meaning: what it is, in a sentence.
      undefined: why it may be undefined.
      optional: whether pages show it only where it is the objective.
      number: the number in the name, the title and the meaning, if an option chooses it.
    """

    name: str
    title: str
    better: Literal["higher", "lower"] | None
    meaning: str
    undefined: str = ""
    optional: bool = False
    number: int | None = None

    def of(self, number: int | str) -> Metric:
        """Return the metric with another number in its texts.

        >>> Metric("top_3", "top 3", None, "Among the 3 likeliest.", number=3).of(5).name
        'top_5'
        """
        name, title, meaning = (
            text.replace(str(self.number), str(number))
            for text in (self.name, self.title, self.meaning)
        )
        return replace(self, name=name, title=title, meaning=meaning)

    def among(self, figures: Iterable[str]) -> Metric:
        """Return the metric with the number that the name of one of these figures has."""
        if self.number is None:
            return self
        pattern = re.escape(self.name).replace(str(self.number), "([0-9]+)")
        numbers = [found[1] for figure in figures if (found := re.fullmatch(pattern, figure))]
        return self.of(numbers[0]) if numbers else self

    def loss(self, value: float) -> float:
        """Return a value so that less is better, whatever is better for the metric."""
        return -value if self.better == "higher" else value


@dataclass(frozen=True)
class ClassesOf:
    """A column whose values are the classes.

    Attributes:
      column: its name.
      listed: the classes; None where those of the training split count.
      most: how many there may be.
      otherwise: what to do if there are more.
      named: classes that other options name, each of which has to be one.
    """

    column: str
    listed: tuple[str, ...] | None
    most: int
    otherwise: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Above:
    """A rule for a label of 0 and 1: it is 1 where `column` > `fraction` * `of`.

    Attributes:
      column: a column of numbers.
      fraction: the factor.
      of: the other column of numbers.
    """

    # A share of the limit. A value is not above it where it is larger only by the rounding of a
    # fraction and of a product in float64, twice over.
    ROUNDING: ClassVar[float] = 4 * 2.0**-52

    column: str
    fraction: float
    of: str


class Bound(Strict):
    """A metric's permitted range, and how much worse than the last blessed model it may be."""

    min: Finite | None = None
    max: Finite | None = None
    max_loss: Annotated[Finite, Field(ge=0)] | None = None


class ThresholdOptions(Strict):
    """Bounds on the test split's metrics; a model outside any of them is not blessed.

    A task adds a `Bound` for each of its metrics that can be better or worse.
    """

    task: str
    # Which baselines the objective is better than: both, the best constant alone, or none.
    beats_baseline: bool | Literal["constant"] = True

    def bound(self, metric: str) -> Bound:
        """Return the bound on a metric; one without limits if none is given."""
        bound: Bound = getattr(self, metric, Bound())
        return bound


Coverage = Annotated[Finite, Field(ge=0.5, lt=1)]
SPREAD_MEANING = "standard deviation over the model's members"


class ExportOptions(Strict):
    """What the signatures answer; a task adds its own options."""

    task: str
    warnings: bool = False  # a row's missing, out-of-domain and out-of-vocabulary values
    spread: bool = False  # standard deviation of the members' scores

    # The optional signatures, `classification` and `regression`, that the task has.
    METHODS: ClassVar[tuple[str, ...]]

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the classes, in the order of their probabilities, if there are any.

        Args:
          learned: what transform and train have learned about the label.
        """
        return ()

    @property
    def decision(self) -> float | None:
        """The least score of a row of the second class; None if a score does not decide."""
        return None

    @property
    def covered_share(self) -> float | None:
        """The share of rows whose label is in the interval or the set; None without these."""
        return None

    @property
    def decision_chosen(self) -> bool:
        """Whether pipeline.yaml gives the decision; otherwise there is a default."""
        return False

    def outputs(self, learned: Mapping[str, Any]) -> dict[str, tuple[Output, ...]]:
        """Return the outputs of each signature that answers with the model's result.

        They are those of `raw_columns`, which `serving_default` answers, too, of `predict`, and of
        `METHODS`.

        Args:
          learned: what transform and train have learned about the label.
        """
        raise NotImplementedError


class TaskOptions(Strict):
    """What is predicted, and how it is made from raw columns: `label:` in pipeline.yaml.

    Attributes:
      task: the kind.
      name: the label's name.
      missing: whether rows without a label are rejected, or end the run.
      weight: the raw column that says how much each row counts; None if all count the same.
    """

    task: str
    name: str
    missing: Literal["reject", "stop"] = "reject"
    weight: str | None = None

    # The options of the sections `export` and `evaluation.thresholds`.
    EXPORT: ClassVar[type[ExportOptions]]
    THRESHOLDS: ClassVar[type[ThresholdOptions]]
    # The best constant, and the linear model that is trained on the same features.
    BASELINES: ClassVar[tuple[Baseline, Baseline]]
    # What evaluation measures, in the order of pages.
    METRICS: ClassVar[tuple[Metric, ...]]
    # The objective, unless options choose another one.
    OBJECTIVE: ClassVar[str]
    # The metrics of slices that a run prints, the objective first.
    SLICED: ClassVar[tuple[str, ...]]
    # The label's type in transformed examples.
    LABEL_TYPE: ClassVar[ColumnType]
    # The options that only evaluation reads: no other stage runs again if they change.
    CALIBRATIONS: ClassVar[tuple[str, ...]]  # methods of `calibration` that fit the answers
    EVALUATION_ONLY: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def suits(cls, column: Column, expectation: Expectation) -> bool:
        """Return whether this is the task of a label that is a column, if none is named."""
        return False

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that the label is made from, the outcome first."""
        raise NotImplementedError

    @property
    def outcome(self) -> str:
        """The raw column that contains the answer."""
        return self.columns[0]

    @property
    def counted(self) -> str:
        """Which rows count, as a phrase after "rows"."""
        return "" if self.weight is None else f" whose {self.weight!r} is above 0"

    def check(self, columns: tuple[Column, ...], source: SourceOptions, *, where: str) -> None:
        """Check that these columns, read from this source, can give such a label.

        Args:
          columns: of schema.pbtxt, in the order of `self.columns`.
          source: how the table is read.
          where: the section, for the error.

        Raises:
          ConfigError: a column has another type, or never has a value that the label names.
        """
        raise NotImplementedError

    @property
    def objective(self) -> str:
        """The metric that training improves, by which models are compared."""
        return self.OBJECTIVE

    @property
    def sought(self) -> tuple[str, tuple[str, ...]] | None:
        """A column and the values of which at least one has to occur; None if all are allowed."""
        return None

    @property
    def above(self) -> Above | None:
        """The rule that makes the label of two numbers; None where another one does."""
        return None

    @property
    def classes_of(self) -> ClassesOf | None:
        """The column whose values are the classes; None where the label has no such column."""
        return None

    def class_names(self, learned: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the classes of the label, in the order of their numbers, if there are any.

        Args:
          learned: what transform has learned about the label.
        """
        return ()

    def in_words(self) -> str:
        """Return what is predicted, as a phrase after "predicts"."""
        raise NotImplementedError

    def check_thresholds(self, thresholds: ThresholdOptions, *, where: str) -> None:
        """Check that these options measure each metric that has a bound.

        Raises:
          ConfigError: they do not.
        """

    @property
    def weighed(self) -> str:
        """How rows are weighed, as a clause after `in_words`; "" if all count the same."""
        return "" if self.weight is None else f"; each row counts by its {self.weight!r}"

    @classmethod
    def judged(cls, figures: Iterable[str] = ()) -> tuple[Metric, ...]:
        """Return the metrics that can be better or worse, in the order of pages.

        Args:
          figures: the names of a model's figures, which have the numbers that options choose.
        """
        figures = tuple(figures)
        return tuple(metric.among(figures) for metric in cls.METRICS if metric.better is not None)

    @classmethod
    def shown(cls, objective: str, figures: Iterable[str] = ()) -> tuple[Metric, ...]:
        """Return the metrics that pages show of a model with this objective and these figures."""
        figures = tuple(figures)
        metrics = [metric.among(figures) for metric in cls.METRICS]
        return tuple(m for m in metrics if not m.optional or m.name == objective)

    @classmethod
    def metric(cls, name: str) -> Metric:
        """Return a metric by its name."""
        return next(metric for metric in cls.METRICS if metric.name == name)


def figure_text(value: float | None) -> str:
    """Write a figure; one in a label's unit may be large.

    >>> figure_text(None), figure_text(0.12345), figure_text(181455.0436)
    ('-', '0.1235', '181,455')
    """
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def named_as_its_column(value: Any) -> Any:
    """Fill in the name of a label that is a column, if it has none."""
    if isinstance(value, dict) and "name" not in value and "column" in value:
        return {**value, "name": value["column"]}
    return value


def require_possible(value: str | int, column: Column, source: SourceOptions, where: str) -> None:
    """Refuse a value of the label that a column of this type, read in this way, never has.

    Raises:
      ConfigError: it never occurs.
    """
    problem = ""
    if column.type.is_boolean:
        possible = column.form or ("0", "1")
        if str(value) not in possible:
            problem = f"is a boolean: its values are {' and '.join(sorted(possible))}"
    elif column.type.is_whole:
        if not PLAIN_INTEGER.fullmatch(str(value)):
            problem = f"is {column.kind}: its values are whole numbers, written as 1 or -20"
        elif abs(int(value)) > LARGEST_INTEGER:
            problem = f"is {column.kind}: its values are within ±2**53"
    elif str(value) in source.nulls_of(column.name):
        problem = "has no such value: source.null_values makes it a missing one"
    elif source.trim and str(value) != str(value).strip(SPACES):
        problem = "has no such value: source.trim drops the spaces around it"
    if problem:
        raise ConfigError(
            f"the label's value {value!r} never occurs: the column {column.name!r} {problem}",
            where=where,
            expected="values as the column has them",
            remedy="correct the value, or the column's type in schema.pbtxt",
        )
