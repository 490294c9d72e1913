"""A graph that is loaded without TFT's search gives what TFT's own loader gives."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import schema_inference
from tensorflow_transform.beam import impl

from components.transform import output_annotations
from components.transform.loaded_graph import RunGraph

ROWS = {"x": [3.0, None, 8.0, 1.0], "text": ["é", "x", "é", None]}


@pytest.fixture(scope="module")
def graph(run):
    features = {"x": ["z_score", "quantile_buckets"], "text": ["vocabulary"]}
    done = run({"x": "FLOAT", "text": "BYTES"}, features, {"train": ROWS})
    return str(done.graph / "transform_fn")


def state_of(graph, kind, names=("of", "text", "tips", "x"), **options):
    step = kind.__new__(kind)
    step._use_tf_compat_v1, step._exclude_outputs = False, options.get("exclude", [])
    step._get_input_tensor_names = lambda: set(names)
    step._graph_load_seconds_distribution = type("Any", (), {"update": lambda *_: None})()
    return step._make_graph_state(graph)


def batch():
    ones = tf.ones(3)
    return {
        "x": tf.constant([1.0, 5.0, np.nan]),
        "text": tf.constant(["é", "new", ""]),
        "tips": ones,
        "of": ones,
    }


def test_outputs_are_those_of_tft_bit_by_bit(graph):
    ours, theirs = state_of(graph, RunGraph), state_of(graph, impl._RunMetaGraphDoFn)
    assert set(ours.outputs_tensor_keys) == set(theirs.outputs_tensor_keys)
    assert set(ours.inputs_tensor_keys) == set(theirs.inputs_tensor_keys)
    assert ours.saved_model_dir == theirs.saved_model_dir
    found, expected = ours.callable_get_outputs(batch()), theirs.callable_get_outputs(batch())
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)


def test_tft_searches_no_graph(graph, monkeypatch):
    from tensorflow_transform.saved import saved_transform_io_v2

    def search(_):
        raise AssertionError("the graph was searched")

    monkeypatch.setattr(saved_transform_io_v2, "_get_output_to_inputs_map", search)
    assert state_of(graph, RunGraph).outputs_tensor_keys


def test_tft_loads_the_graph_where_it_leaves_outputs_out(graph):
    state = state_of(graph, RunGraph, exclude=["x_bucket"])
    assert set(state.outputs_tensor_keys) == {"x_z_score", "x_missing", "text_id", "big"}


def schema_of(done):
    return tft.TFTransformOutput(str(done.graph)).transformed_metadata.schema


def test_the_preprocessing_is_not_traced_for_its_schema(run, monkeypatch):
    """The schema is the one that TFT finds."""

    def trace(*_, **__):
        raise AssertionError("the preprocessing was traced once more")

    table = ({"text": "BYTES"}, {"text": ["vocabulary"]}, {"train": {"text": ROWS["text"]}})
    with monkeypatch.context() as patch:
        patch.setattr(output_annotations, "_traced", trace)
        ours = run(*table)
    monkeypatch.setattr(output_annotations, "traced", output_annotations._traced)
    assert schema_of(ours) == schema_of(run(*table))


@pytest.mark.parametrize("annotated", [True, False])
def test_annotations_count_as_those_of_outputs(annotated):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)], autograph=False)
    def preprocessing(ids):
        inside, output = ids + 1, ids * 2
        found = output if annotated else inside
        schema_inference.set_tensor_schema_override(found, tf.constant(0), tf.constant(9))
        return {"inside": inside + 1, "output": output}

    graph = preprocessing.get_concrete_function().graph
    assert output_annotations._is_annotated(graph) == annotated
