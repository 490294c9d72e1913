"""The bodies of :classify and :regress, down to the bytes of the tf.Examples."""

import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import example_proto
from components.serve import tf_examples
from components.serve.failures import RequestError
from components.serve.signature import ExampleFeature, Signature, Tensor

SIGNATURE = Signature({"inputs": Tensor("e:0", "DT_STRING", (-1,))}, {}, "")


def parsed(document):
    return tf_examples.parse(document, SIGNATURE)["inputs"].tolist()


def refused(document):
    with pytest.raises(RequestError) as caught:
        parsed(document)
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize(
    ("value", "feature"),
    [
        # an Int64List is field 3 of Feature; its values are packed varints
        (40, b"\x1a\x03\x0a\x01\x28"),
        ([1, 300], b"\x1a\x05\x0a\x03\x01\xac\x02"),
        (True, b"\x1a\x03\x0a\x01\x01"),
        (-1, b"\x1a\x0c\x0a\x0a" + b"\xff" * 9 + b"\x01"),
        # a FloatList is field 2
        (40.0, b"\x12\x06\x0a\x04" + struct.pack("<f", 40.0)),
        # a BytesList is field 1
        ("é", b"\x0a\x04\x0a\x02\xc3\xa9"),
        ([{"b64": "AA=="}, "b"], b"\x0a\x06\x0a\x01\x00\x0a\x01b"),
        ([], b""),
    ],
)
def test_a_value_becomes_the_feature_that_its_json_type_says(value, feature):
    entry = b"\x0a\x01f" + b"\x12" + bytes([len(feature)]) + feature
    features = b"\x0a" + bytes([len(entry)]) + entry
    assert parsed({"examples": [{"f": value}]}) == [b"\x0a" + bytes([len(features)]) + features]


@pytest.mark.parametrize("value", [2.5, -0.0, 0.1, math.nan, math.inf, 3.4e38, 7, [1.5], []])
@pytest.mark.parametrize("name", ["x", "x" * 120, "x" * 300])
def test_a_known_float_becomes_a_float_list_however_it_is_written(name, value):
    feature = ExampleFeature("DT_FLOAT", most=1, default=True)
    known = Signature(SIGNATURE.inputs, {}, "", features={name: feature})
    rows = [{"other": "é", name: value}, {name: value}]
    both = tf_examples.parse({"examples": rows}, known)["inputs"].tolist()
    values = np.float32(np.atleast_1d(value))
    for example in both:
        features = example_proto.features_of(example)
        assert features is not None
        np.testing.assert_array_equal(np.array(features[name].values, np.float32), values)
        assert features[name].dtype == ("DT_FLOAT" if values.size else "")
    with pytest.raises(RequestError, match="beyond the range of DT_FLOAT"):
        tf_examples.parse({"examples": [{name: 3.5e38}]}, known)


def test_the_context_fills_in_omitted_features():
    rows = [{"a": 1, "b": 2}, {"b": 3}, {}]
    with_context = parsed({"context": {"a": 9}, "examples": rows})
    assert with_context == parsed({"examples": [{"a": 1, "b": 2}, {"a": 9, "b": 3}, {"a": 9}]})
    assert parsed({"examples": [{}]}) == [b"\x0a\x00"]


def test_what_examples_would_become_is_bounded_before_they_are_made():
    context = {str(number): number for number in range(10_000)}
    with pytest.raises(RequestError, match="too large for 9999 examples") as big:
        parsed({"context": context, "examples": [{}] * 9_999})
    with pytest.raises(RequestError, match="3 examples; at most 2 are taken") as many:
        tf_examples.parse({"examples": [{}, None, {}]}, SIGNATURE, 2)
    assert (big.value.status, many.value.status) == (413, 413)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "'examples' is missing"),
        ({"examples": []}, "'examples' is an empty list"),
        ({"examples": {}}, "'examples' is an object"),
        ({"examples": [{}, 3]}, "examples[1] is a number"),
        ({"examples": [{}], "context": None}, "'context' is null"),
        ({"examples": [{"f": None}]}, "examples[0], feature 'f': null"),
        ({"examples": [{"f": [[1]]}]}, "examples[0], feature 'f': a list"),
        ({"examples": [{"f": [1, 2.0]}]}, "only one of these"),
        ({"examples": [{"f": [1, "2"]}]}, "only one of these"),
        ({"examples": [{"f": {"b64": "!"}}]}, "unable to decode base64"),
        ({"examples": [{"f": {"x": "!"}}]}, "an object"),
        ({"examples": [{"f": 2**63}]}, "beyond the range of DT_INT64"),
        ({"examples": [{"f": 1e39}]}, "beyond the range of DT_FLOAT"),
        ({"examples": [{"\ud800": 1}]}, "surrogate"),
    ],
)
def test_what_no_example_can_hold_is_refused_in_words(document, message):
    assert message in refused(document)


def test_answers_are_pairs_of_class_and_score_or_values():
    classes = np.array([[b"0", b"1"]], dtype=object)
    scores = np.float32([[0.3, 0.7]])
    answer = tf_examples.answer
    both = {"classes": classes, "scores": scores}
    assert answer("classify", both) == b'{"results":[[["0",0.3],["1",0.7]]]}'
    assert answer("classify", {"scores": scores}) == b'{"results":[[["",0.3],["",0.7]]]}'
    assert answer("classify", {"classes": classes}) == b'{"results":[[["0",0.0],["1",0.0]]]}'
    assert answer("regress", {"outputs": np.float32([0.5, math.nan])}) == b'{"results":[0.5,NaN]}'
    assert answer("regress", {"outputs": np.float32([[0.5], [1]])}) == b'{"results":[0.5,1.0]}'


@pytest.mark.parametrize(
    ("method", "outputs"),
    [
        ("regress", {"scores": np.zeros(2)}),
        ("regress", {"outputs": np.zeros((2, 2))}),
        ("classify", {"outputs": np.zeros(2)}),
        ("classify", {"scores": np.zeros(2)}),
    ],
)
def test_outputs_of_another_kind_are_refused(method, outputs):
    with pytest.raises(RequestError, match="gives no"):
        tf_examples.answer(method, outputs)


def test_a_signature_of_another_method_is_refused_and_the_right_one_named(model):
    tf_examples.check_method("regress", "regression", model.signatures)
    with pytest.raises(RequestError, match="'signature_name' may be: regression"):
        tf_examples.check_method("regress", "serving_default", model.signatures)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["examples", "context", "x"]), json_values))
def test_any_document_is_parsed_or_refused(document):
    with contextlib.suppress(RequestError):
        examples = parsed(document)
        assert len(examples) == len(document["examples"])
