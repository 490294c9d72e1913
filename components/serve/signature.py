"""The inputs and outputs of a signature as plain data, which is all that the protocols need.

They are read once from the SavedModel's SignatureDefs. TensorFlow is not imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from schemas.columns import Column

STRING = "DT_STRING"

# numpy's type by TensorFlow's; text is an array of `bytes` objects. Requests have no other types.
NUMPY_TYPES: dict[str, type] = {
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_INT8": np.int8,
    "DT_INT16": np.int16,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT16": np.uint16,
    "DT_UINT32": np.uint32,
    "DT_UINT64": np.uint64,
    "DT_BOOL": np.bool_,
    STRING: np.object_,
}


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
      name: the name of the tensor in the graph.
      dtype: TensorFlow's name of its type, such as "DT_FLOAT".
      shape: its sizes, -1 for any size; None if even the rank is free.
      column: the raw column that an input carries, if that is known.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    column: Column | None = field(default=None, compare=False)

    @property
    def most(self) -> int:
        """The largest number of values in a row, if it takes a column's lists; 0 otherwise."""
        return 0 if self.column is None else self.column.most

    @property
    def batched(self) -> bool:
        """Whether the first dimension is the rows of a request."""
        return self.shape is not None and len(self.shape) > 0 and self.shape[0] == -1

    @property
    def of_row(self) -> Tensor:
        """The tensor for a single row."""
        return replace(self, shape=None if self.shape is None else self.shape[1:])


@dataclass(frozen=True)
class ExampleFeature:
    """A feature that the graph parses from a serialised tf.Example.

    Attributes:
      dtype: TensorFlow's name of its type: "DT_FLOAT", "DT_INT64" or "DT_STRING".
      least: the smallest number of values in an example.
      most: the largest number of values in an example; None if there is no limit.
      default: whether an example without a value gets a default.
      column: the raw column that it carries, if that is known.
    """

    dtype: str
    least: int = 0
    most: int | None = None
    default: bool = False
    column: Column | None = field(default=None, compare=False)

    @cached_property
    def is_one_float(self) -> bool:
        """Whether it is one float, which no column writes in another way."""
        reads = self.column is not None and self.column.type.is_read
        return self.dtype == "DT_FLOAT" and self.takes(1) and not reads and not self.is_list

    @property
    def is_list(self) -> bool:
        """Whether a list without values differs from a missing one."""
        return self.column is not None and self.column.is_list

    def takes(self, size: int) -> bool:
        """Whether an example may have this number of values."""
        if not size:
            return self.default or not self.least
        return self.least <= size and (self.most is None or size <= self.most)

    @property
    def expected(self) -> str:
        """The expected number and type of values, in words."""
        if self.most is None:
            number = f"at least {self.least} values" if self.least else "values"
        elif self.least == self.most:
            number = "1 value" if self.most == 1 else f"{self.most} values"
        else:
            number = "at most 1 value" if self.most == 1 else f"at most {self.most} values"
        return f"{number} of {self.dtype}"


@dataclass(frozen=True)
class Signature:
    """A SignatureDef.

    Attributes:
      inputs: by their names in requests.
      outputs: by their names in answers.
      method_name: the method of TensorFlow Serving that it supports.
      left_out: by input, the default value for rows without it, None for a list; other inputs are
        required.
      ignored: names of inputs that rows may have without any effect.
      features: the features that the graph parses from the serialised tf.Examples of its only
        input, by name; None if it takes no tf.Examples, or if the features are unknown.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    method_name: str
    left_out: Mapping[str, float | int | bool | bytes | None] = field(default_factory=dict)
    features: Mapping[str, ExampleFeature] | None = None
    ignored: frozenset[str] = frozenset()

    @cached_property
    def batched(self) -> bool:
        """Whether rows of several requests can be joined."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(tensor.batched for tensor in tensors)


def stand_in(default: np.ndarray) -> float | int | bool | bytes | None:
    """Return the value for one row in a SignatureDef's default; None if it has several values.

    A default without rows is our exports' code for "missing in every row": NaN, and "" for text.

    >>> stand_in(np.zeros(0, np.float32)), stand_in(np.array([7]))
    (nan, 7)
    """
    if default.size == 1:
        value: float | int | bool | bytes = default.reshape(-1).tolist()[0]
        return value
    if default.size == 0 and default.dtype.kind == "f":
        return float("nan")
    if default.size == 0 and default.dtype == object:
        return b""
    return None
