"""The outcome that a task predicts, as a numpy array, without TensorFlow.

It is for statistics alone: a model learns the label that the transform graph makes. A task whose
outcome is more than the values of its column has a module `NAME_outcome` beside this one, with an
`outcome_of` of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import column
from schemas.tasks.options import TaskOptions

MOST_CLASSES = 10  # more of them are one class
REST = "other classes"


@dataclass(frozen=True)
class Outcome:
    """What is predicted.

    Attributes:
      read: returns the class of each row of a batch, int64, or its number, float64; [rows].
      classes: the names of the classes, the last one for all that have no name; none of a number.
      shown: the numbers of the classes whose shares say all: of two classes, the second one.
    """

    read: Callable[[pa.RecordBatch], np.ndarray]
    classes: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()


@dataclass(frozen=True)
class ClassColumn:
    """Reads the classes of a column, of which `names` are known."""

    name: str
    names: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the number of each row's class, int64 [rows]."""
        known = pa.array(self.names, pa.string())
        found = pc.index_in(column(batch, self.name).cast(pa.string()), value_set=known)
        return np.asarray(found.fill_null(len(self.names)), dtype=np.int64)


@dataclass(frozen=True)
class NumberColumn:
    """Reads the numbers of a column."""

    name: str

    def __call__(self, batch: pa.RecordBatch) -> np.ndarray:
        """Return the numbers, float64 [rows]."""
        return np.asarray(column(batch, self.name).cast(pa.float64()), dtype=np.float64)


def outcome_of(options: TaskOptions, sample: pa.RecordBatch) -> Outcome:
    """Return the outcome of a task; its classes are those of a sample of the training rows."""
    module = module_of(options.task)
    if module is not None:
        outcome: Outcome = importlib.import_module(module).outcome_of(options, sample)
        return outcome
    if not options.LABEL_TYPE.is_whole:
        return Outcome(NumberColumn(options.outcome))
    names = frequent_values(sample, options.outcome)
    shown = range(len(names) + (len(names) == MOST_CLASSES))
    return Outcome(ClassColumn(options.outcome, names), (*names, REST), tuple(shown))


def module_of(task: str) -> str | None:
    """Return the name of the module with a task's own `outcome_of`; None if it has none."""
    name = f"{__package__}.{task}_outcome"
    return None if importlib.util.find_spec(name) is None else name


def frequent_values(sample: pa.RecordBatch, name: str) -> tuple[str, ...]:
    """Return the most frequent values of a column as text, ties in the order of the text."""
    counted = pc.value_counts(column(sample, name).cast(pa.string()).drop_null()).to_pylist()
    counted.sort(key=lambda each: (-each["counts"], each["values"]))
    return tuple(each["values"] for each in counted[:MOST_CLASSES])


def modules_of(task: str) -> list[str]:
    """Return the modules that `outcome_of` finds by the task's name."""
    module = module_of(task)
    return [] if module is None else [module]
