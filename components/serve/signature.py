"""What a signature takes and gives, in plain data: all that a protocol has to know of a model.

Read from the SavedModel's SignatureDefs once, when it is loaded. No TensorFlow is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

STRING = "DT_STRING"

# numpy's type by TensorFlow's; text is arrays of `bytes` objects. Requests carry no other types.
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
      name: of the tensor in the graph.
      dtype: TensorFlow's name of its type, such as "DT_FLOAT".
      shape: its sizes, -1 where any will do; None if even the rank is free.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None

    @property
    def batched(self) -> bool:
        """Whether the first dimension is the rows of a request."""
        return self.shape is not None and len(self.shape) > 0 and self.shape[0] == -1

    @property
    def of_row(self) -> Tensor:
        """What one row of it is."""
        return replace(self, shape=None if self.shape is None else self.shape[1:])


@dataclass(frozen=True)
class Feature:
    """What the graph reads of a serialised tf.Example.

    Attributes:
      dtype: TensorFlow's name of its type: "DT_FLOAT", "DT_INT64" or "DT_STRING".
      least: how many values an example has to have.
      most: how many values an example may have; None if any number will do.
      default: whether an example that has no value gets one.
    """

    dtype: str
    least: int = 0
    most: int | None = None
    default: bool = False

    def takes(self, size: int) -> bool:
        """Whether an example may have so many values."""
        if not size:
            return self.default or not self.least
        return self.least <= size and (self.most is None or size <= self.most)

    @property
    def expected(self) -> str:
        """How many values of which type, in words."""
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
      inputs: by the name a request uses.
      outputs: by the name an answer uses.
      method_name: what TensorFlow Serving lets it be asked for.
      left_out: by input, the value that stands in rows which leave it out; inputs that are not
        here have to be there.
      features: what the graph reads of the serialised tf.Examples that are its one input, by name;
        None if it takes no tf.Examples, or how it reads them is not known.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    method_name: str
    left_out: Mapping[str, float | int | bool | bytes] = field(default_factory=dict)
    features: Mapping[str, Feature] | None = None

    @cached_property
    def batched(self) -> bool:
        """Whether rows of several requests may be asked at once."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(tensor.batched for tensor in tensors)


def stand_in(default: np.ndarray) -> float | int | bool | bytes | None:
    """Return what a SignatureDef's default puts into one row; None if it cannot be said.

    A default of no rows is how our exports say "missing in every row": NaN, and "" in text.

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
