"""The interface of a task's module.

A task makes the label from raw columns, gives the model its head, turns logits into answers, and
measures how good they are. Every stage that depends on what is predicted calls this module. The
task's options and the outputs that it declares are in schemas/tasks.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    Tensors = Mapping[str, tf.Tensor]
    # Labels and the weights of their rows, float64 and 1 where there are none; [rows] both.
    Labels = tuple[np.ndarray, np.ndarray]

# The figures of one model on one set of rows, by name, as values of JSON; None where a figure
# does not exist there. `examples`, the number of rows, is always among them.
Metrics = Mapping[str, Any]


# How far from the expected value an answer may be, relative to it. Two orders of float32 additions
# differ by a few parts in ten million; a skew that matters to anyone differs by far more.
RELATIVE = 1e-6


@dataclass(frozen=True)
class Tolerance:
    """|got - expected| may be `relative` * |expected| + `absolute`."""

    relative: float = 0.0
    absolute: float = 0.0

    def times(self, factor: float) -> Tolerance:
        """Return a tolerance that is so many times as wide."""
        return Tolerance(self.relative * factor, self.absolute * factor)


# A small probability has a logit far from 0, whose own last digits move the probability by more
# than a millionth of itself: three of them do at 0.004. Hence a floor, five billionths.
PROBABILITY = Tolerance(RELATIVE, 5e-9)
# A logit is a sum of terms around 1, near 0 where they cancel; a millionth of it moves the
# probability by a millionth of itself at most.
LOGIT = Tolerance(RELATIVE, 1e-6)


@dataclass(frozen=True)
class Decision:
    """An output that follows from another output of the same row, such as a class from a score.

    Attributes:
      by: the other output.
      decide: computes the output, [rows], from the other one, [rows] or [rows, n].
    """

    by: str
    decide: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Head:
    """The head of a model, its last layer.

    Attributes:
      start: the logits of an untrained model, one a unit.
      loss: of labels [rows, 1] and logits [rows, units].
      link: what makes an answer of a logit, and of a mean of answers its logit: "sigmoid",
        "softmax" or "identity".
      labels: what was measured on the training labels, by name, as values of JSON.
      class_weights: what the weights of the rows of each class are multiplied by in training, by
        the number of the class; None if all classes count the same.
      remark: what the user may want to know about the labels, or "".
    """

    start: tuple[float, ...]
    loss: keras.losses.Loss
    link: Literal["sigmoid", "softmax", "identity"]
    labels: Mapping[str, Any]
    class_weights: tuple[float, ...] | None = None
    remark: str = ""

    @property
    def units(self) -> int:
        """How many logits a row has."""
        return len(self.start)


class HeldOut(NamedTuple):
    """Rows that a model did not learn from.

    Attributes:
      logits: corrected ones, float64 [rows], or [rows, classes].
      labels: float64 [rows].
      weights: float64 [rows], above 0.
    """

    logits: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


class RowLosses(NamedTuple):
    """What each row adds to a metric, of which less is better.

    Attributes:
      metric: its name.
      terms: float64 [rows]; NaN where a row has no valid score or label.
      root: whether the metric is the root of their mean, rather than the mean.
    """

    metric: str
    terms: np.ndarray
    root: bool = False


class GradedRows(Protocol):
    """What each row adds to a tally."""

    @property
    def invalid(self) -> int:
        """How many rows have no valid score or label; no tally counts them."""
        ...


class Tally(Protocol):
    """Sums over the rows of each of several groups, whose size does not depend on the rows."""

    invalid: int

    def add(
        self, rows: Any, groups: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> None:
        """Add rows of `grade` in place.

        Args:
          rows: from `grade`.
          groups: the group of each row that `grade` was given, int [rows]; None puts all in 0.
          weights: how much each of these rows counts, float [rows]; None in a tally without them.
        """
        ...

    def merge(self, other: Any) -> None:
        """Add another tally of the same groups in place."""
        ...


class TaskWork(Protocol):
    """The module of a task.

    It may also have `learn(graph, options)`: what the transform graph in a folder of TFT's has
    learned about the label, by name, as values of JSON. These, and what `head` measures, are
    `learned` below. One that is not of classes has `quantile_shift(rows, options, learned)`, which
    calibrates predictions of a quantile on `HeldOut` rows; one of classes has `diagrams(tally)`,
    `curves(tally)` and `histograms(tally)`, the reliability diagrams, curves and histograms of
    scores of a tally of one group. `interval(tally, metric, group)` is the 95 % interval of a
    metric of a group, where there is a formula for it. One with intervals or sets has
    `misses(rows, options, learned)`, how wrong the answer is for each of `HeldOut` rows, and
    `covered(answer, label)`, whether labels are in the intervals or sets of answers of `predict`.

    Attributes:
      VALID: what `grade` counts as valid, for the error if a model returns something else.
    """

    VALID: str

    def label(self, inputs: Tensors, options: Any) -> tf.Tensor:
        """Return the label, [rows], of the type that the options name.

        No row lacks one of the label's columns: ingest rejects such rows.
        """
        ...

    def head(
        self, labels: Iterable[Labels], options: Any, learned: Mapping[str, Any], *, where: str
    ) -> Head:
        """Return the head of a model, after one pass over the training labels and their weights.

        Raises:
          DataError: nothing can be learned from these labels; `where` are the examples.
        """
        ...

    def answers(
        self, options: Any, export: Any, learned: Mapping[str, Any]
    ) -> dict[str, Callable[[tf.Tensor], Tensors]]:
        """Return the outputs of each signature in the export's `outputs`, computed from logits.

        Logits are [rows] where the head has one unit, else [rows, units]; they are corrected and
        calibrated. `raw_columns` has an output `scores`, which `grade` takes.
        """
        ...

    def tolerances(self, options: Any, learned: Mapping[str, Any]) -> Mapping[str, Tolerance]:
        """Return the tolerance of each output of serving; others have to be equal."""
        ...

    def decisions(
        self, options: Any, export: Any, learned: Mapping[str, Any]
    ) -> dict[str, Decision]:
        """Return the outputs of `predict` that follow from other outputs."""
        ...

    def grade(self, scores: np.ndarray, labels: np.ndarray, options: Any) -> GradedRows:
        """Compute what rows add to a tally, once for all tallies."""
        ...

    def losses(self, scores: np.ndarray, labels: np.ndarray, options: Any) -> RowLosses:
        """Return what each row adds to the metric of the loss."""
        ...

    def tally(self, options: Any, groups: int, *, coarse: bool = False) -> Tally:
        """Return the tally of no rows; a coarse one is small, for many groups.

        It takes weights if the options have a column of them.
        """
        ...

    def metrics(self, tally: Any, group: int = 0) -> Metrics | None:
        """Return the figures of a group of a tally; None where it has no valid rows."""
        ...

    def constant(self, metrics: Metrics, options: Any) -> Metrics:
        """Return the figures of the best constant answer on the rows that were measured."""
        ...


def module_of(task: str) -> str:
    """Return the name of a task's module."""
    return f"{__package__}.{task}"


def work_of(task: str) -> TaskWork:
    """Return a task's module."""
    return cast(TaskWork, importlib.import_module(module_of(task)))


def optional(task: str, function: str) -> Callable[..., Any] | None:
    """Return a function that a task may have."""
    return getattr(work_of(task), function, None)
