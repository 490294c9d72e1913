"""What is taken from a SavedModel's graph; a TensorFlow that writes it otherwise fails here."""

from __future__ import annotations

import os

import pytest
from tensorflow.core.protobuf import saved_model_pb2

from components.export.slim import slim


@pytest.fixture
def saved(exported):
    """The MetaGraphDef of the export."""
    with open(os.path.join(exported.saved_model, "saved_model.pb"), "rb") as file:
        return saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0]


@pytest.fixture
def written(tmp_path):
    """The MetaGraphDef of a signature as TensorFlow writes it."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def twice(x):
        return {"one": x + 1.0, "two": x * 2.0}

    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path), signatures=twice.get_concrete_function())
    proto = saved_model_pb2.SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes())
    return proto.meta_graphs[0]


def called(meta_graph):
    """The function that each signature calls, by name, with its ops' types."""
    functions = {f.signature.name: f for f in meta_graph.graph_def.library.function}
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    return {
        name: {n.op for n in functions[nodes[call].attr["f"].func.name].node_def}
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith("__")
        for call in {t.name.partition(":")[0] for t in signature.outputs.values()}
    }


def test_no_signature_of_an_export_calls_a_function_that_only_calls_another(saved):
    assert len(called(saved)) == 7
    for types in called(saved).values():
        assert not {"StatefulPartitionedCall", "PartitionedCall"} & types


def test_no_op_of_a_function_says_the_shapes_of_its_outputs(saved):
    functions = saved.graph_def.library.function

    assert not [n.name for f in functions for n in f.node_def if "_output_shapes" in n.attr]


def test_a_wrapper_that_does_more_is_left(written):
    (call,) = [n for n in written.graph_def.node if "signature" in n.attr["f"].func.name]
    name = call.attr["f"].func.name
    (wrapper,) = [f for f in written.graph_def.library.function if f.signature.name == name]
    one, two = (a.name for a in wrapper.signature.output_arg)
    wrapper.ret[one], wrapper.ret[two] = wrapper.ret[two], wrapper.ret[one]

    slim(written)

    assert call.attr["f"].func.name == name
