"""Finds the features that a graph parses from serialised tf.Examples, with types and sizes.

The input is the GraphDef of a SavedModel and the name of the tensor with the Examples. The result
is an `ExampleFeature` for each name, or None if no op parses that tensor. This works for every
SavedModel, also for those without a `model.json`. It imports nothing for the messages it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from components.serve.signature import STRING, ExampleFeature

_PARSER = "ParseExampleV2"
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_PASSES_ON = "Identity"
_DTYPES = {1: "DT_FLOAT", 7: STRING, 9: "DT_INT64"}  # from types.proto; Examples have no others
_DEEPEST = 32  # levels of nested function calls

# Inputs of a ParseExampleV2.
_SERIALIZED, _SPARSE_KEYS, _DENSE_KEYS, _RAGGED_KEYS, _DENSE_DEFAULTS = 0, 2, 3, 4, 5


class _Use(NamedTuple):
    """A node with the index of the input that takes a tensor, and the nodes around it by name."""

    node: Any
    number: int
    around: Mapping[str, Any]


def features_of(graph: Any, tensor: str) -> dict[str, ExampleFeature] | None:
    """Return the features that a graph parses from the Examples in a tensor.

    Args:
      graph: a GraphDef with its library of functions.
      tensor: the name of the tensor that is fed, such as "examples:0".
    """
    functions = {function.signature.name: function for function in graph.library.function}
    parsed = [
        _features(use.node, use.around)
        for use in _uses(graph.node, _bare(tensor), functions, _DEEPEST)
        if use.node.op == _PARSER and use.number == _SERIALIZED
    ]
    known = [features for features in parsed if features is not None]
    if not known or len(known) < len(parsed):
        return None
    return {name: feature for features in known for name, feature in features.items()}


def _uses(
    nodes: Iterable[Any], source: str, functions: Mapping[str, Any], depth: int
) -> Iterator[_Use]:
    """Yield the nodes that take the output of `source`, also in functions that receive it."""
    around = {node.name: node for node in nodes}
    for node in around.values():
        for number, name in enumerate(node.input):
            if _bare(name) != source or not depth:
                continue
            yield _Use(node, number, around)
            if node.op == _PASSES_ON:
                yield from _uses(around.values(), node.name, functions, depth - 1)
            elif node.op in _CALLS and node.attr["f"].func.name in functions:
                function = functions[node.attr["f"].func.name]
                argument = function.signature.input_arg[number].name
                yield from _uses(function.node_def, argument, functions, depth - 1)


def _features(node: Any, around: Mapping[str, Any]) -> dict[str, ExampleFeature] | None:
    """Return what a ParseExampleV2 parses; None if its keys are not constants."""
    sparse, dense, ragged = (
        _keys(around.get(_bare(node.input[number])))
        for number in (_SPARSE_KEYS, _DENSE_KEYS, _RAGGED_KEYS)
    )
    if sparse is None or dense is None or ragged is None:
        return None
    features = dict(_of_any_number(sparse, node.attr["sparse_types"].list.type))
    features |= _of_any_number(ragged, node.attr["ragged_value_types"].list.type)
    shapes = node.attr["dense_shapes"].list.shape
    types = node.attr["Tdense"].list.type
    defaults = list(node.input)[_DENSE_DEFAULTS : _DENSE_DEFAULTS + len(dense)]
    for name, number, shape, default in zip(dense, types, shapes, defaults, strict=True):
        size = math.prod(dim.size for dim in shape.dim)
        if size < 0:  # the first dimension is free, so an Example may have any number of values
            features[name] = ExampleFeature(_DTYPES[number])
        else:
            has_default = _has_values(around.get(_bare(default)))
            features[name] = ExampleFeature(_DTYPES[number], size, size, has_default)
    return features


def _of_any_number(names: list[str], types: Iterable[int]) -> dict[str, ExampleFeature]:
    return {name: ExampleFeature(_DTYPES[kind]) for name, kind in zip(names, types, strict=True)}


def _has_values(node: Any) -> bool:
    """Whether a default has a value: a constant without elements means none."""
    if node is None or node.op != "Const":
        return True
    return math.prod(dim.size for dim in node.attr["value"].tensor.tensor_shape.dim) > 0


def _keys(node: Any) -> list[str] | None:
    """Return the strings of a constant; None for other nodes."""
    if node is None or node.op != "Const":
        return None
    tensor = node.attr["value"].tensor
    size = math.prod(dim.size for dim in tensor.tensor_shape.dim)
    if len(tensor.string_val) != size:
        return None
    return [key.decode(errors="backslashreplace") for key in tensor.string_val]


def _bare(name: str) -> str:
    """Return the name of the node or argument in a tensor's name."""
    return name.partition(":")[0]
