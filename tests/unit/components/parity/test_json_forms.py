"""Raw columns are JSON that reads back as the same values."""

import base64
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.examples import objects
from components.parity.json_forms import (
    json_columns,
    json_examples,
    json_list,
    json_rows,
    json_values,
)

MOST = float(np.finfo(np.float32).max)


def read(values):
    return json.loads(json_list(values))


@given(st.lists(st.floats(width=32), min_size=1))
def test_floats_read_back_with_every_bit(values):
    array = np.array(values, np.float32)
    np.testing.assert_array_equal(np.array(read(json_values(array)), np.float32), array)


@given(st.lists(st.floats(), min_size=1))
def test_whole_columns_of_double_precision_read_back(values):
    array = np.array(values)
    np.testing.assert_array_equal(np.array(read(json_values(array)), np.float64), array)


@given(st.lists(st.binary() | st.text().map(str.encode), min_size=1))
def test_texts_read_back_and_bytes_are_base64(values):
    back = [
        base64.b64decode(v["b64"]) if isinstance(v, dict) else v.encode()
        for v in read(json_values(objects(values)))
    ]
    assert back == values


def test_floats_have_the_digits_that_clients_write():
    array = np.array([0.1, -0.0, 1.5, np.nan, np.inf, -np.inf, MOST], np.float32)
    assert json_list(json_values(array)) == (
        b"[0.1, -0.0, 1.5, NaN, Infinity, -Infinity, 3.4028234663852886e+38]"
    )
    assert read(json_values(array))[-1] == MOST  # and not beyond it


@given(*(st.lists(each, min_size=1) for each in (st.floats(width=32), st.floats(), st.binary())))
def test_columns_together_have_the_values_of_each_alone(singles, doubles, texts):
    columns = {
        "a": np.array(singles, np.float32),
        "b": np.array(doubles),
        "c": objects(texts),
        "d": np.array(singles[::-1], np.float32),
        "lists": np.array([[1.0, np.nan], [np.nan, np.nan]]),
    }
    alone = {name: json_values(array) for name, array in columns.items()}
    assert list(json_columns(columns).items()) == list(alone.items())


def test_a_row_is_an_object_of_the_values_that_it_has():
    columns: dict[str, list[bytes | None]] = {"a%s": [b"1", None], 'q"é': [b'"x"', b"2.5"]}
    assert [json.loads(row) for row in json_rows(columns)] == [
        {"a%s": 1, 'q"é': "x"},
        {'q"é': 2.5},
    ]


def test_examples_leave_out_every_other_missing_value_and_all_missing_integers():
    feeds = {
        "fare": np.array([np.nan, np.nan, 2.5], np.float32),
        "hour": np.array([np.nan, np.nan, 7.0]),
        "company": objects([b"", b"", b"x"]),
    }
    rows = [json.loads(row) for row in json_examples(feeds)]
    assert rows[0] == {}
    assert set(rows[1]) == {"fare", "company"}
    assert np.isnan(rows[1]["fare"])
    assert rows[2] == {"fare": 2.5, "hour": 7, "company": "x"}
    assert isinstance(rows[2]["hour"], int)
