"""What :predict answers, byte for byte."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve import predictions
from components.serve.failures import RequestError


def test_one_output_is_given_bare_and_several_by_name():
    scores, ids = np.float32([0.1, 0.7]), np.array([1, 2])
    assert predictions.answer({"s": scores}, by_rows=True) == b'{"predictions":[0.1,0.7]}'
    assert predictions.answer({"s": scores}, by_rows=False) == b'{"outputs":[0.1,0.7]}'
    assert json.loads(predictions.answer({"s": scores, "i": ids}, by_rows=True)) == {
        "predictions": [{"i": 1, "s": 0.1}, {"i": 2, "s": 0.7}]
    }
    assert json.loads(predictions.answer({"s": scores, "i": ids}, by_rows=False)) == {
        "outputs": {"i": [1, 2], "s": [0.1, 0.7]}
    }


def test_bytes_nan_and_dimensions_are_given_as_tensorflow_serving_gives_them():
    text = np.array([b"a", "é".encode()], dtype=object)
    assert json.loads(predictions.answer({"t": text}, by_rows=True)) == {"predictions": ["a", "é"]}
    assert json.loads(predictions.answer({"t_bytes": text}, by_rows=True)) == {
        "predictions": [{"b64": "YQ=="}, {"b64": "w6k="}]
    }
    no_text = np.array([b"\xff"], dtype=object)
    assert json.loads(predictions.answer({"t": no_text}, by_rows=True)) == {
        "predictions": [{"b64": "/w=="}]
    }
    odd = np.float32([[math.nan, math.inf], [-math.inf, 0.1]])
    assert (
        predictions.answer({"s": odd}, by_rows=True)
        == b'{"predictions":[[NaN,Infinity],[-Infinity,0.1]]}'
    )
    assert predictions.answer({"s": np.zeros((2, 0))}, by_rows=True) == b'{"predictions":[[],[]]}'
    assert predictions.answer({"s": np.float32(3)}, by_rows=False) == b'{"outputs":3.0}'


@pytest.mark.parametrize(
    "outputs",
    [
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": np.float32(1)},
        {"a": np.zeros(2), "b": np.zeros(())},
    ],
)
def test_outputs_without_rows_are_refused_as_rows(outputs):
    with pytest.raises(RequestError, match="not of one row an instance"):
        predictions.answer(outputs, by_rows=True)


@given(st.lists(st.floats(width=32), min_size=1))
def test_every_float_comes_back_as_it_was(values):
    array = np.float32(values)
    back = json.loads(predictions.answer({"s": array}, by_rows=True))["predictions"]
    np.testing.assert_array_equal(np.float32(back), array)
