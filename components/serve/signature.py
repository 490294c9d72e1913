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
class Signature:
    """A SignatureDef.

    Attributes:
      inputs: by the name a request uses.
      outputs: by the name an answer uses.
      method_name: what TensorFlow Serving lets it be asked for.
      left_out: by input, the value that stands in rows which leave it out; inputs that are not
        here have to be there.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    method_name: str
    left_out: Mapping[str, float | int | bool | bytes] = field(default_factory=dict)

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
