"""The interface of a treatment's module.

A treatment takes raw columns as dense tensors [rows], with the options of each use. It returns one
or more rank-1 tensors [rows] a use, float32 or int64, with the names in its options' `outputs`.

A column of lists is a tf.RaggedTensor [rows, None], in which a missing list has the stand-in for a
missing value alone. Treatments that `accepts_lists` return a ragged int64 tensor of as many ids, or
dense tensors as of other columns.

A treatment receives all its uses at once. They share one analyzer, which costs a third of a second,
and one op for each step, because the latency of a request of one row depends on the number of ops.

All arithmetic on features is in treatments, inside the transform graph: serving runs these ops.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

# A number at which an output changes, or a text beside which it does.
Boundary = float | bytes

if TYPE_CHECKING:
    import tensorflow as tf

    from schemas.tasks.options import TaskOptions

    Inputs = Mapping[str, tf.Tensor]
    Tensors = Mapping[str, tf.Tensor]


@dataclass(frozen=True)
class Use:
    """One use of the treatment `kind`: on these columns, with these options.

    `is_list` says whether its column has lists.
    """

    kind: str
    columns: tuple[str, ...]
    options: Any
    is_list: bool = False

    @property
    def column(self) -> str:
        """The column that the use belongs to, the first one."""
        return self.columns[0]


@dataclass(frozen=True)
class Target:
    """What a treatment learns from: the label of training rows, and how to learn from it.

    Attributes:
      options: of the label.
      label: as the task makes it, [rows].
      weight: of each row, float32 [rows].
      fold: of each row, int64 [rows]. A row's features must not depend on the labels of its fold.
    """

    options: TaskOptions
    label: tf.Tensor
    weight: tf.Tensor
    fold: tf.Tensor


class TreatmentWork(Protocol):
    """The module of a treatment.

    `apply` takes a `Target`, too, if a use learns from the label.

    It may also have:

    - `learn(graph, uses)`: what `outputs` of the options takes, a whole number a use;
    - `boundaries(graph, features)`: by column, numbers at which an output changes, or texts beside
      which it does, for a proof to try. Where outputs are continuous and no value is special,
      there are none;
    - `terms(graph, features)`: the values, by column, that it knows.

    `graph` is TFT's output folder, `features` are those that the treatment made.
    """

    def apply(self, inputs: Inputs, uses: Sequence[Use], *target: Target) -> Tensors:
        """Return the outputs of all uses, by name."""
        ...


def module_of(kind: str) -> str:
    """Return the name of a treatment's module."""
    return f"{__package__}.{kind}"


def work_of(kind: str) -> TreatmentWork:
    """Return a treatment's module."""
    return cast(TreatmentWork, importlib.import_module(module_of(kind)))


def optional(kind: str, function: str) -> Callable[..., Any] | None:
    """Return a function that a treatment may have."""
    return getattr(work_of(kind), function, None)
