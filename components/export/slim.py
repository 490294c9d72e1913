"""Takes from a SavedModel's graph what every process that loads it would only work through.

TensorFlow's Python wraps each signature in a function that does nothing but call another, and
notes beside every op the shapes of its outputs, which C++ infers itself. Of 500 columns, both cost
a third of what loading the graph and a signature's first run take. What TensorFlow writes in
another way than is expected here is left as it is, which is merely slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHAPES = "_output_shapes"
_CALLED = "f"  # the attribute of a call that names the function


def slim(meta_graph: Any) -> None:
    """Change a MetaGraphDef so that it loads faster, and computes the same."""
    functions = {f.signature.name: f for f in meta_graph.graph_def.library.function}
    for function in functions.values():
        for node in function.node_def:
            node.attr.pop(_SHAPES, None)
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for signature in meta_graph.signature_def.values():
        for tensor in signature.outputs.values():
            _skip_wrapper(nodes.get(tensor.name.partition(":")[0]), functions)


def _skip_wrapper(node: Any, functions: Mapping[str, Any]) -> None:
    """Let a call of a function that only calls another one call that other one."""
    if node is None or _CALLED not in node.attr:
        return
    wrapper = functions.get(node.attr[_CALLED].func.name)
    if wrapper is None:
        return
    calls = [n for n in wrapper.node_def if _CALLED in n.attr]
    if len(calls) != 1 or list(calls[0].input) != [a.name for a in wrapper.signature.input_arg]:
        return
    (call,) = calls
    handed_on = {f"{n.name}:output:0": n.input[0] for n in wrapper.node_def if n.op == "Identity"}
    returned = [handed_on.get(wrapper.ret[a.name]) for a in wrapper.signature.output_arg]
    if returned == [f"{call.name}:output:{i}" for i in range(len(returned))]:
        node.attr[_CALLED].CopyFrom(call.attr[_CALLED])
