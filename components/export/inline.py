"""The ops of a loaded function, copied into the current graph instead of being called from it.

`inline` takes a function and its arguments. It returns the function's outputs, computed by copies
of its ops. What TensorFlow does for a call, such as inferring shapes, it does in every process that
loads the graph, for each argument and again at each level of calls. It handles a copied op once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    Tensors = Mapping[str, tf.Tensor]

_HANDED_ON = ("Identity", "Placeholder")


def inline(function: Any, arguments: Tensors, selected: Iterable[str]) -> Tensors:
    """Return outputs of a function, without the ops that only other outputs need.

    The constants that it captured (means, boundaries) stay unknown to the optimizer. Where it knows
    them, as in the C++ loader and not in Python, it divides by a constant by multiplying with its
    reciprocal, and features differ in their last digit from training's.

    Args:
      function: a concrete function from a dict to a dict.
      arguments: those that the outputs depend on.
      selected: names of the outputs to return.
    """
    named = tf.nest.pack_sequence_as(function.structured_outputs, function.outputs, True)
    wanted = {name: named[name] for name in selected}
    outputs = _flat(wanted)
    graph = _needed(function.graph, outputs.values())
    sources = {name: _source(tensor).name for name, tensor in outputs.items()}
    used = {name for node in graph.node for name in node.input}
    given, names = _flat(arguments), [*_flat(_signature(function))]
    own, captured = function.inputs[: len(names)], function.inputs[len(names) :]
    by_tensor = {t.name: given[n] for t, n in zip(own, names, strict=True) if n in given}
    inputs = {name: tensor for name, tensor in by_tensor.items() if name in used}
    for tensor, outside in zip(captured, function.captured_inputs, strict=True):
        if tensor.name in used:
            inputs[tensor.name] = _capture(outside)
    computed = [name for name, source in sources.items() if source not in by_tensor]
    copies = tf.graph_util.import_graph_def(
        graph,
        input_map=inputs,
        return_elements=[sources[name] for name in computed],
        name="transform",
    )
    for copy, name in zip(copies, computed, strict=True):
        copy.set_shape(outputs[name].shape)
    copied = dict(zip(computed, copies, strict=True))
    flat = {name: copied.get(name, by_tensor.get(source)) for name, source in sources.items()}
    return {
        name: tf.nest.pack_sequence_as(value, [flat[part] for part in _flat({name: value})], True)
        for name, value in wanted.items()
    }


# A tensor of a function: the name of an argument or output, and its position among the tensors of
# this, which are several if it is ragged.
_Part = tuple[str, int]


def _flat(named: Mapping[str, Any]) -> dict[_Part, Any]:
    """Return the tensors, or their specs, of arguments or outputs."""
    return {
        (name, position): part
        for name, value in named.items()
        for position, part in enumerate(tf.nest.flatten(value, True))
    }


def _signature(function: Any) -> dict[str, Any]:
    """Return the specs of a function's arguments in the order of its inputs."""
    specs = function.structured_input_signature[0][0]
    return {name: specs[name] for name in sorted(specs)}


def _capture(outside: tf.Tensor) -> tf.Tensor:
    inside = tf.compat.v1.get_default_graph().capture(outside)
    if outside.dtype == tf.resource:
        return inside
    return tf.raw_ops.PlaceholderWithDefault(input=inside, shape=inside.shape)


def _needed(graph: tf.Graph, outputs: Iterable[tf.Tensor]) -> Any:
    """Return the ops that outputs need, and what these must wait for, as a GraphDef.

    Identities are left out: they only pass a tensor on, and every argument and output has one.
    """
    whole = graph.as_graph_def()
    nodes = {node.name: node for node in whole.node}
    needed = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    seen: set[str] = set()
    # What a function returns also waits for the look-ups of its other outputs.
    waiting = [given.op for tensor in outputs for given in (*tensor.op.inputs, tensor)[:1]]
    while waiting:
        op = waiting.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        waiting += [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
        if op.type in _HANDED_ON:
            continue
        node = nodes[op.name]
        inputs = [_source(tensor).name for tensor in op.inputs]
        before = [f"^{o.name}" for o in op.control_inputs if o.type not in _HANDED_ON]
        node.input[:] = inputs + before
        node.attr.pop("_class", None)  # the op that it is placed beside, which may be left out
        needed.node.append(node)
    return needed


def _source(tensor: tf.Tensor) -> tf.Tensor:
    """Return the tensor that Identities pass on."""
    while tensor.op.type == "Identity":
        (tensor,) = tensor.op.inputs
    return tensor
