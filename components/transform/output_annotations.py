"""Spares TFT traces of the preprocessing that only look for annotations of its outputs.

TFT traces it once more while the pipeline is built, to learn which outputs are categories, and once
more when the graph is written, for their ranges. The first changes nothing that a transformation
reads. The second finds nothing where no function of TFT has annotated an output, as it does not
where ids are computed from those of a vocabulary. Each takes as long as the trace that makes the
graph.

A TFT without these functions is only slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow_transform import schema_inference

# TFT's names of the collections of annotated tensors. Those of the first count as outputs alone.
_RANGES = "_TF_METADATA_TENSOR_COLLECTION"
_OTHERS = (
    "_TF_METADATA_EXTRA_ANNOTATION",
    "_ANNOTATED_SPARSE_SHAPE_TENSORS",
    "_ANNOTATED_TRUELY_SPARSE_TENSORS",
)
# TFT's function, which is replaced in the command's process while a graph is made.
_traced: Callable[..., Any] | None = getattr(schema_inference, "get_traced_metadata_fn", None)


def traced(*arguments: Any, **options: Any) -> Callable[[], Any]:
    """Return a function that gives the annotations of a preprocessing, as TFT's does.

    Args:
      arguments: TFT's.
      options: TFT's; if they have `structured_inputs`, they are of the graph traced already.
    """
    if options.get("evaluate_schema_overrides") is False:
        return dict
    inputs = options.get("structured_inputs", arguments[1] if len(arguments) > 1 else {})
    if inputs and not _is_annotated(tf.nest.flatten(inputs, expand_composites=True)[0].graph):
        return dict
    assert _traced is not None  # otherwise, nothing calls this
    return _traced(*arguments, **options)


def _is_annotated(graph: Any) -> bool:
    """Return whether a traced graph has annotations that are not of tensors inside it alone."""
    names = [getattr(schema_inference, name, None) for name in (_RANGES, *_OTHERS)]
    if None in names or any(graph.get_collection(name) for name in names[1:]):
        return True
    outputs = {tensor.name for output in graph.outputs for tensor in _same(output)}
    return any(tensor.name in outputs for tensor in graph.get_collection(names[0]))


def _same(tensor: Any) -> Iterator[Any]:
    """Yield a tensor and those that it repeats: TensorFlow copies what a function returns."""
    yield tensor
    while tensor.op.type == "Identity":
        (tensor,) = tensor.op.inputs
        yield tensor
