"""Bodies of :predict: what is accepted, how it is converted, what is refused and how."""

import contextlib
import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve import predict
from components.serve.failures import RequestError
from components.serve.signature import Signature, Tensor

ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}

SIGNATURE = Signature(
    {"x": Tensor("x:0", "DT_FLOAT", (-1,)), "s": Tensor("s:0", "DT_STRING", (-1,))}, {}, ""
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["x", "s", "b64", "y"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def asked(document, signature, **options):
    """Return a request whose rows are converted, as in the model's thread."""
    request = predict.parse(document, signature, **options)
    return dataclasses.replace(request, inputs=predict.joined([request.inputs]))


def arrays(document, signature, **options):
    return asked(document, signature, **options).inputs


def refused(document, signature, **options):
    with pytest.raises(RequestError) as caught:
        arrays(document, signature, **options)
    assert 400 <= caught.value.status < 500
    return caught.value.message


def test_rows_and_columns_arrive_as_the_same_arrays(columns):
    rows = [ROW, {"fare": float("nan"), "trips": 2, "company": {"b64": "/wA="}}]
    by_rows = asked({"instances": rows}, columns)
    inputs = {name: [row[name] for row in rows] for name in ROW}
    by_columns = asked({"inputs": inputs}, columns)

    assert (by_rows.rows, by_rows.by_rows) == (2, True)
    assert (by_columns.rows, by_columns.by_rows) == (2, False)
    for request in (by_rows, by_columns):
        np.testing.assert_array_equal(request.inputs["fare"], np.float32([12.5, math.nan]))
        np.testing.assert_array_equal(request.inputs["trips"], np.array([3.0, 2.0]))
        assert request.inputs["company"].tolist() == [b"Blue", b"\xff\x00"]
        assert request.inputs["fare"].dtype == np.float32
        assert request.inputs["trips"].dtype == np.float64


def test_a_dropped_column_is_ignored_by_rows_and_by_columns(columns):
    ignoring = dataclasses.replace(columns, ignored=frozenset({"zip"}))
    for document in (
        {"instances": [{"zip": 60601, **ROW}, ROW]},
        {"inputs": {"zip": [1, 2], **{name: [ROW[name]] * 2 for name in ROW}}},
    ):
        request = asked(document, ignoring)
        assert request.inputs.keys() == ROW.keys()
        assert request.inputs["trips"].tolist() == [3.0, 3.0]
        assert "unknown input 'zip'" in refused(document, columns)


def test_a_signature_of_one_input_takes_bare_values(one_input):
    signature = one_input("DT_STRING", -1)
    for body in (
        {"instances": ["a", {"b64": "Yg=="}]},
        {"instances": [{"x": "a"}, {"x": {"b64": "Yg"}}]},
        {"inputs": ["a", "b"]},
        {"inputs": {"x": ["a", "b"]}},
    ):
        request = asked(body, signature)
        assert request.inputs["x"].tolist() == [b"a", b"b"]
        assert request.rows == 2


def test_lists_are_dimensions_and_scalars_are_none(one_input):
    request = asked({"instances": [[1, 2], [3, 4]]}, one_input("DT_INT32", -1, 2))
    np.testing.assert_array_equal(request.inputs["x"], np.int32([[1, 2], [3, 4]]))
    scalar = asked({"inputs": True}, one_input("DT_BOOL"))
    assert scalar.inputs["x"].shape == ()
    assert scalar.inputs["x"].dtype == np.bool_
    assert scalar.rows is None


@pytest.mark.parametrize(
    ("dtype", "good"),
    [
        ("DT_FLOAT", [3, 3.5, 2**24 + 1, -(10**20), -math.inf, 3.4e38]),
        ("DT_DOUBLE", [2**53, 1e300, -0.5]),
        ("DT_INT64", [2**63 - 1, -(2**63)]),
        ("DT_UINT8", [0, 255]),
        ("DT_BOOL", [True, False]),
    ],
)
def test_values_of_the_type_are_taken_as_they_are(dtype, good, one_input):
    taken = arrays({"instances": good}, one_input(dtype, -1))["x"]
    np.testing.assert_array_equal(taken, np.array(good, taken.dtype))


BAD: dict[str, list[Any]] = {
    "DT_FLOAT": [None, "3", True, 1e39, 10**39, 10**400, {}, [1.0]],
    "DT_DOUBLE": [None, False, 2**53 + 1, -(2**53) - 1],
    "DT_INT64": [None, 3.0, "3", True, 2**63],
    "DT_UINT8": [-1, 256, 1.0],
    "DT_BOOL": [0, None, "true"],
    "DT_STRING": [None, 3, {"b64": "?"}, {"b64": 3}, {"b64": "YQ==", "x": 1}, "\ud800"],
}


@pytest.mark.parametrize(("dtype", "bad"), [(t, v) for t, values in BAD.items() for v in values])
def test_values_of_another_type_are_refused_by_row_and_name(dtype, bad, one_input):
    good = {"DT_BOOL": True, "DT_STRING": "a"}.get(dtype, 1)
    message = refused({"instances": [{"x": good}, {"x": bad}]}, one_input(dtype, -1))
    assert message.startswith("instances[1], input 'x'")


def test_keys_have_to_be_exactly_the_signatures(columns):
    unknown = refused({"instances": [ROW, {**ROW, "fair": 1.0}]}, columns)
    assert unknown == "instances[1] has an unknown input 'fair'; did you mean 'fare'?"
    missing = refused({"instances": [{"trips": 1, "company": "Blue"}]}, columns)
    assert missing.startswith("instances[0] lacks 'fare'; the inputs are 'company', 'fare'")
    assert "lacks 'company'" in refused({"inputs": {"fare": [1.0], "trips": [1]}}, columns)


def test_columns_may_be_left_out_only_where_it_is_allowed(columns):
    rows = [{"trips": 1}, {"trips": 2, "fare": 3.0, "company": "Blue"}]
    given = arrays({"instances": rows}, columns, optional=True)
    np.testing.assert_array_equal(given["fare"], np.float32([math.nan, 3]))
    assert given["company"].tolist() == [b"", b"Blue"]

    by_column = arrays({"inputs": {"trips": [1, 2]}}, columns, optional=True)
    assert np.isnan(by_column["fare"]).tolist() == [True, True]
    assert by_column["fare"].dtype == np.float32
    assert by_column["company"].tolist() == [b"", b""]
    assert "has no column" in refused({"inputs": {}}, columns, optional=True)
    assert "unknown input 'fair'" in refused({"instances": [{"fair": 1}]}, columns, optional=True)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "either 'instances'"),
        ({"instances": [ROW], "inputs": {}}, "either 'instances'"),
        ({"instances": []}, "'instances' is an empty list"),
        ({"instances": ROW}, "'instances' is an object"),
        ({"instances": [1.0]}, "plain values"),
        ({"instances": [ROW, 1.0]}, "instances[1] is a number among objects"),
        ({"instances": [ROW, None]}, "instances[1] is null among objects"),
        ({"inputs": [1.0]}, "'inputs' is a list"),
        (
            {"inputs": {"fare": [1.0], "trips": [], "company": ["a"]}},
            "input 'trips' has 0 values, where another has 1",
        ),
        (
            {"inputs": {"fare": 1.0, "trips": [1], "company": ["a"]}},
            "input 'fare': shape [], expected [?] of DT_FLOAT",
        ),
        (
            {"inputs": {"fare": [[1.0], [2.0, 3.0]], "trips": [1], "company": ["a"]}},
            "row 0, input 'fare': shape [1], expected [] of DT_FLOAT",
        ),
    ],
)
def test_invalid_requests_are_refused_with_a_message(document, message, columns):
    assert message in refused(document, columns)


def test_lists_of_unequal_length_are_not_a_tensor(one_input):
    signature = one_input("DT_FLOAT", -1, -1)
    message = refused({"inputs": [[1.0], [2.0, 3.0]]}, signature)
    assert message == "input 'x': a list of 2 beside a list of 1"
    fixed = one_input("DT_FLOAT", 2, 2)
    assert "nested deeper" in refused({"inputs": json.loads("[" * 40 + "]" * 40)}, fixed)
    message = refused({"instances": [[1.0], [2.0, 3.0]]}, signature)
    assert message == "input 'x': a list of 2 beside a list of 1"
    message = refused({"inputs": [1.0]}, signature)
    assert message == "row 0, input 'x': shape [], expected [?] of DT_FLOAT"
    assert "shape [], expected [?, ?]" in refused({"inputs": 1.0}, signature)


def test_an_object_among_bare_values_is_refused(one_input):
    message = refused({"instances": [1.0, {"x": 1.0}]}, one_input("DT_FLOAT", -1))
    assert message == "instances[1] is an object among plain values"


def test_the_signature_is_serving_default_unless_named():
    assert predict.signature_name({}) == "serving_default"
    assert predict.signature_name({"signature_name": "raw"}) == "raw"
    with pytest.raises(RequestError, match="'signature_name' is a number"):
        predict.signature_name({"signature_name": 3})


@given(st.sampled_from(["instances", "inputs"]), json_values)
def test_any_document_is_parsed_or_refused(key, value):
    with contextlib.suppress(RequestError):
        request = asked({key: value}, SIGNATURE)
        assert {len(array) for array in request.inputs.values()} == {request.rows}


def rows_of(draw_order, values):
    """Return rows with the same values, and the inputs in any order."""
    return [{name: row[name] for name in draw_order} for row in values]


@given(st.data())
def test_rows_of_several_requests_become_what_they_are_alone(data):
    value = st.fixed_dictionaries({"x": st.integers(-9, 9), "s": st.text(max_size=2)})
    order = st.permutations(["x", "s"])
    requests = [
        predict.parse({"instances": rows_of(data.draw(order), rows)}, SIGNATURE).inputs
        for rows in data.draw(st.lists(st.lists(value, min_size=1, max_size=3), min_size=1))
    ]
    together = predict.joined(requests)
    for name, array in together.items():
        alone = np.concatenate([predict.joined([request])[name] for request in requests])
        assert array.dtype == alone.dtype
        np.testing.assert_array_equal(array, alone)


def test_a_value_that_does_not_fit_is_named_by_its_row_when_asked_alone():
    good, bad = (
        predict.parse({"instances": [{"x": 1, "s": "a"}, {"x": x, "s": "b"}]}, SIGNATURE).inputs
        for x in (2, "two")
    )
    with pytest.raises(RequestError):
        predict.joined([good, bad])
    with pytest.raises(RequestError, match=r"^instances\[1\], input 'x': 'two', expected"):
        predict.joined([bad])


@pytest.mark.parametrize(("sent", "taken"), [(3.4028235e38, True), (3.4028236e38, False)])
def test_the_largest_float_is_taken_by_its_shortest_digits(sent, taken):
    for rows in (1, 100):  # few and many values are converted differently
        request = {"instances": [{"x": sent, "s": ""}] * rows}
        if taken:
            assert set(arrays(request, SIGNATURE)["x"].tolist()) == {float(np.finfo("f4").max)}
        else:
            assert "beyond the range of DT_FLOAT" in refused(request, SIGNATURE)
