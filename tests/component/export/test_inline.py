"""A function's ops in another graph: which ops are copied, and what they compute."""

from __future__ import annotations

import pytest
import tensorflow as tf

from components.export.inline import inline

ROWS = tf.TensorSpec([None], tf.float32)


@pytest.fixture
def loaded(tmp_path):
    """A concrete function of a SavedModel, as TFT's is: it captures, looks up and asserts."""
    module = tf.Module()
    keys = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2]), tf.constant([10, 20]))
    module.table = tf.lookup.StaticHashTable(keys, -1)
    means = tf.constant([0.5] * 1_000)

    @tf.function(input_signature=[{"one": ROWS, "two": ROWS}])
    def call(columns):
        one, two = columns["one"], columns["two"]
        with tf.control_dependencies([tf.debugging.assert_less(one, 100.0, "too large")]):
            checked = tf.identity(one)
        return {
            "centred": checked - means[0],
            "sum": tf.identity(one) + two,
            "term": module.table.lookup(tf.cast(two, tf.int32)),
            "one": tf.identity(one),
            "root": tf.sqrt(two),
        }

    module.call = call.get_concrete_function()
    tf.saved_model.save(module, str(tmp_path))
    return tf.saved_model.load(str(tmp_path))


@pytest.fixture
def inlined(loaded):
    """A function that traces one with the loaded one's ops."""

    def trace(*wanted):
        def call(one, two):
            return inline(loaded.call, {"one": one, "two": two}, wanted)

        return tf.function(call, autograph=False).get_concrete_function(ROWS, ROWS)

    return trace


def test_outputs_are_those_of_a_call(loaded, inlined):
    wanted = ("term", "sum", "one", "centred")
    arguments = tf.constant([1.0, 2.0]), tf.constant([2.0, 3.0])

    outputs, expected = inlined(*wanted)(*arguments), loaded.call(*arguments)

    assert tuple(outputs) == wanted
    for name in wanted:
        assert outputs[name].numpy().tolist() == expected[name].numpy().tolist()
        assert outputs[name].shape == [2]


def test_ops_that_only_other_outputs_need_are_left_out(inlined):
    types = [op.type for op in inlined("sum").graph.get_operations()]

    assert "AddV2" in types
    assert not {"Sqrt", "Sub"} & {*types}


def test_an_output_may_be_an_argument(inlined):
    (output,) = inlined("one")(tf.constant([1.0]), tf.constant([2.0])).values()

    assert output.numpy().tolist() == [1.0]


def test_shapes_are_kept(inlined):
    traced = inlined("term", "sum")

    assert [tensor.shape.as_list() for tensor in traced.outputs] == [[None], [None]]


def test_an_assertion_that_an_output_waits_for_is_made(inlined):
    traced = inlined("centred")

    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        traced(tf.constant([100.0]), tf.constant([0.0]))


def test_captured_constants_are_unknown_to_the_optimizer(inlined):
    operations = inlined("centred").graph.get_operations()
    unknown = [op.outputs[0].shape for op in operations if op.type == "PlaceholderWithDefault"]

    assert [1_000] in unknown


def test_arguments_of_other_outputs_are_not_needed(loaded):
    def call(one):
        return inline(loaded.call, {"one": one}, ["centred"])

    traced = tf.function(call, autograph=False).get_concrete_function(ROWS)

    assert traced(tf.constant([2.0]))["centred"].numpy().tolist() == [1.5]
