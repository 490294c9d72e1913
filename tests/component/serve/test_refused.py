"""Refusals of a graph name the row, the column, and the expected and actual values."""

import logging
import os

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import prediction_log_pb2

from components import example_proto
from components.serve.failures import GraphError, RequestError
from components.serve.model import SavedModelBundle
from components.serve.signature import ExampleFeature

pytestmark = pytest.mark.component

INTEGER = ExampleFeature("DT_INT64", most=1)
FLOAT = ExampleFeature("DT_FLOAT", most=1)
TEXT = ExampleFeature("DT_STRING", most=1)


@pytest.fixture(scope="module")
def model(exported):
    return SavedModelBundle(exported.saved_model)


def example(**features):
    """Return a serialised Example: for each feature the name of its list, and the values."""
    made = tf.train.Example()
    for name, (kind, values) in features.items():
        getattr(made.features.feature[name], kind).value.extend(values)
    return made.SerializeToString()


def error_of(model, signature, inputs):
    with pytest.raises(GraphError) as caught:
        model.run(signature, inputs)
    return caught.value.explained()


def examples(*serialised):
    array = np.empty(len(serialised), object)
    array[:] = serialised
    return array


def test_what_a_graph_reads_of_examples_is_known(model, exported):
    kinds = {"INT": INTEGER, "FLOAT": FLOAT, "BYTES": TEXT}
    expected = {c.name: kinds[c.kind] for c in exported.columns if c.serving}
    takers = ("serving_default", "transform_features", "classification", "regression")
    for name, signature in model.signatures.items():
        assert signature.features == (expected if name in takers else None)


@pytest.mark.parametrize("value", [12.5, 2.0**53 + 2, -1e300, np.inf])
@pytest.mark.parametrize("signature", ["predict", "raw_columns"])
def test_a_number_that_is_not_an_integer_is_named(model, columns, signature, value):
    age = columns["age"].copy()
    age[7:] = value
    error = error_of(model, signature, {**columns, "age": age})
    assert error.within("instances").message == (
        f"instances[7], input 'age': {value!r}, expected a whole number within ±2**53, or NaN where"
        " it is missing"
    )
    assert error.within(None).message.startswith("row 7, input 'age': ")
    assert error.status == 400


@pytest.mark.parametrize("signature", ["serving_default", "classification", "transform_features"])
@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ({"age": ("int64_list", [1, 2])}, "feature 'age': 2 values, expected at most 1 value of"),
        ({"naïve": ("bytes_list", [b"a"] * 3)}, "feature 'naïve': 3 values, expected at most 1"),
        (
            {"age": ("float_list", [12.5])},
            "feature 'age': values of DT_FLOAT, expected at most 1 value of DT_INT64",
        ),
        (
            {"Fare ($)": ("int64_list", [12])},
            "feature 'Fare ($)': values of DT_INT64, expected at most 1 value of DT_FLOAT",
        ),
    ],
)
def test_a_feature_that_does_not_fit_is_named(model, signature, features, problem):
    (name,) = model.signatures[signature].inputs
    good = example(age=("int64_list", [3]))
    error = error_of(model, signature, {name: examples(good, good, example(**features), b"")})
    assert error.within("examples").message.startswith(f"examples[2], {problem}")


def test_two_values_in_every_column_are_not_a_second_row(model, exported):
    """The graph takes them for two rows, and would answer one Example twice."""
    lists = {"INT": ("int64_list", [1, 2]), "FLOAT": ("float_list", [1.0, 2.0])}
    doubled = example(
        **{
            c.name: lists.get(c.kind, ("bytes_list", [b"a", b"b"]))
            for c in exported.columns
            if c.serving
        }
    )
    error = error_of(model, "regression", {"inputs": examples(doubled)})
    assert "2 values, expected at most 1 value" in error.message


def test_what_tensorflow_alone_refuses_is_found_by_trying(model):
    """A group is a field that protobuf skips, and at which TensorFlow's own parser stops."""
    group = example(age=("int64_list", [3])) + b"\x2b\x2c"
    assert example_proto.features_of(group) is not None
    error = error_of(model, "serving_default", {"examples": examples(b"", b"", group, b"")})
    assert error.within("instances").message.startswith("instances[2], refused by the graph: ")


@given(st.data())
@settings(max_examples=300, deadline=None)
@pytest.mark.filterwarnings("ignore:Unexpected end-group tag")
def test_an_example_is_what_protobuf_reads_whole(data):
    whole = example(
        age=("int64_list", [1, -1]), fare=("float_list", [0.5]), é=("bytes_list", [b"\0", b"x"])
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    serialised = bytes(damaged[: data.draw(st.integers(0, len(whole)))])
    serialised += data.draw(st.sampled_from([b"", b"\0", b"\x0c", b"\x0a\0", b"\x2b\x2c", b"junk"]))
    followed = serialised + b"\x0a\0"  # shows whether everything was read
    try:
        read = tf.train.Example.FromString(serialised)
        whole_read = tf.train.Example().MergeFromString(followed) == len(followed)
    except DecodeError:
        whole_read = False
    features = example_proto.features_of(serialised)
    assert (features is not None) == whole_read
    if features is not None:
        assert features.keys() == read.features.feature.keys()
        for name, values in features.items():
            kind = read.features.feature[name].WhichOneof("kind")
            assert example_proto.DTYPES.get(kind, "") == values.dtype
            expected = getattr(read.features.feature[name], kind).value if kind else []
            np.testing.assert_array_equal(list(values.values), list(expected))


class Foreign(tf.Module):
    """A foreign model: features of a fixed length, and one of any length."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def score(self, examples):
        parsed = tf.io.parse_example(
            tf.identity(examples),
            {
                "pair": tf.io.FixedLenFeature([2], tf.float32),
                "one": tf.io.FixedLenFeature([], tf.int64, default_value=7),
                "some": tf.io.RaggedFeature(tf.string),
            },
        )
        return {"y": tf.reduce_sum(parsed["pair"], axis=1) + tf.cast(parsed["one"], tf.float32)}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("foreign"))
    module = Foreign()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.score})
    return SavedModelBundle(folder)


def test_the_features_of_any_model_are_known(foreign):
    assert foreign.signatures["serving_default"].features == {
        "pair": ExampleFeature("DT_FLOAT", 2, 2),
        "one": ExampleFeature("DT_INT64", 1, 1, default=True),
        "some": ExampleFeature("DT_STRING"),
    }
    some = ("bytes_list", [b"a", b"b", b"c"])
    given = example(pair=("float_list", [1, 2]), some=some)
    assert foreign.run("serving_default", {"examples": examples(given)})["y"].tolist() == [10.0]


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ({}, "feature 'pair': missing, expected 2 values of DT_FLOAT"),
        ({"pair": ("float_list", [1])}, "feature 'pair': 1 value, expected 2 values of DT_FLOAT"),
        (
            {"pair": ("float_list", [1, 2]), "one": ("int64_list", [1, 2])},
            "feature 'one': 2 values, expected 1 value of DT_INT64",
        ),
    ],
)
def test_what_any_model_misses_is_named(foreign, features, problem):
    given = examples(example(pair=("float_list", [1, 2])), example(**features))
    error = error_of(foreign, "serving_default", {"examples": given})
    assert error.within("instances").message == f"instances[1], {problem}"


def calls_of(monkeypatch, saved_model):
    """Return the signatures that a model runs while it is loaded, with their rows."""
    seen = []

    def run(self, signature, inputs):
        seen.append((signature, len(next(iter(inputs.values())))))
        return original(self, signature, inputs)

    original = SavedModelBundle.run
    monkeypatch.setattr(SavedModelBundle, "run", run)
    SavedModelBundle(saved_model)
    return seen


@pytest.fixture
def copied(exported, tmp_path):
    """A SavedModel whose warm-up requests may be changed, and their path."""
    folder = str(tmp_path / "copy")
    tf.io.gfile.makedirs(folder)
    for root, _, names in tf.io.gfile.walk(exported.saved_model):
        into = os.path.join(folder, os.path.relpath(root, exported.saved_model))
        tf.io.gfile.makedirs(into)
        for name in names:
            tf.io.gfile.copy(os.path.join(root, name), os.path.join(into, name))
    return folder, os.path.join(folder, "assets.extra", "tf_serving_warmup_requests")


def test_every_signature_is_run_before_it_is_asked(monkeypatch, exported, copied):
    folder, requests = copied
    signatures = set(SavedModelBundle(exported.saved_model).signatures)
    recorded = dict(calls_of(monkeypatch, exported.saved_model))
    assert recorded.keys() == signatures
    assert recorded["classification"] == recorded["regression"] == recorded["predict"] == 16
    monkeypatch.undo()
    os.remove(requests)
    assert dict(calls_of(monkeypatch, folder)) == dict.fromkeys(signatures, 1)


def test_warm_up_requests_that_cannot_be_read_keep_no_model_from_serving(
    monkeypatch, copied, caplog
):
    folder, requests = copied
    records = [bytes(r) for r in tf.data.TFRecordDataset(requests).as_numpy_iterator()]
    strange = prediction_log_pb2.PredictionLog()
    strange.predict_log.request.model_spec.signature_name = "predict"
    strange.predict_log.request.inputs["age"].dtype = 99
    with tf.io.TFRecordWriter(requests) as writer:
        for record in (b"\xff no message", strange.SerializeToString(), *records[-2:]):
            writer.write(record)
    with open(requests, "r+b") as file:
        file.truncate(os.path.getsize(requests) - 3)
    with caplog.at_level(logging.WARNING):
        seen = dict(calls_of(monkeypatch, folder))
    assert "3 warm-up requests cannot be read" in caplog.text
    assert (seen["classification"], seen["regression"], seen["predict"]) == (16, 1, 1)


def test_a_refusal_of_the_warm_up_is_not_a_fault_of_the_model(foreign):
    """Its Examples need a feature that a row of missing values lacks."""
    with pytest.raises(RequestError, match="pair"):
        foreign.run("serving_default", {"examples": examples(b"")})
