"""Booleans and times in requests: what JSON may say for them, and what a refusal says."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.encoded_examples import as_tf_examples
from components.examples import as_raw_columns, iter_batches
from components.serve import predict, tf_examples
from components.serve.failures import GraphError, RequestError, RowError
from components.serve.model import SavedModelBundle

pytestmark = pytest.mark.component


@pytest.fixture(scope="module")
def model(timed):
    return SavedModelBundle(timed.saved_model)


@pytest.fixture(scope="module")
def batch(timed):
    names = [c.name for c in timed.columns if c.serving]
    return next(iter_batches(timed.examples, "test", names)).slice(0, 8)


@pytest.fixture(scope="module")
def inputs(timed, batch):
    return as_raw_columns(batch, [c for c in timed.columns if c.serving])


def plain(values):
    return [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]


def rows_of(columns):
    lists = {name: plain(values) for name, values in columns.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def answered(model, document):
    """The answer to a body as it comes over a wire."""
    document = json.loads(json.dumps(document))
    request = predict.parse(document, model.signatures["predict"])
    arrays = (
        request.inputs.arrays()
        if isinstance(request.inputs, predict.Instances)
        else (request.inputs)
    )
    return model.run("predict", arrays)


def test_true_and_false_are_the_columns_two_values(model, inputs):
    rows = rows_of(inputs)
    spoken = [
        row
        | {"flag": row["flag"] if row["flag"] != row["flag"] else bool(row["flag"])}
        | {"member": {"yes": True, "no": False}.get(row["member"], "")}
        for row in rows
    ]
    assert spoken != rows
    expected = model.run("predict", inputs)
    by_rows = answered(model, {"instances": spoken})
    by_columns = answered(
        model, {"inputs": {name: [row[name] for row in spoken] for name in inputs}}
    )
    for answer in (by_rows, by_columns):
        assert all(np.array_equal(answer[name], expected[name]) for name in expected)


def test_true_and_false_in_json_examples_are_those_of_a_tf_example(model, timed, batch, inputs):
    columns = [c for c in timed.columns if c.serving]
    rows = [
        {k: v for k, v in row.items() if v not in ("",) and v == v}
        | ({"member": row["member"] == "yes"} if row["member"] else {})
        for row in rows_of(inputs)
    ]
    signature = model.signatures["classification"]
    parsed = tf_examples.parse({"examples": rows}, signature)
    given = model.run("classification", parsed)
    serialised = np.array(as_tf_examples(batch, columns), object)
    expected = model.run("classification", {"inputs": serialised})
    assert all(np.array_equal(given[name], expected[name]) for name in expected)


@pytest.mark.parametrize("value", [True, False])
def test_other_columns_take_no_booleans(model, inputs, value):
    rows = rows_of(inputs)
    for name in ("seconds", "day"):
        with pytest.raises(RequestError, match=f"instances.1., input '{name}'"):
            answered(model, {"instances": [rows[0], rows[1] | {name: value}]})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "flag",
            2,
            "2.0, expected 0 or 1 (in JSON also false or true), or NaN where it is missing",
        ),
        ("flag", 0.5, "0.5, expected 0 or 1"),
        (
            "member",
            "Yes",
            "'Yes', expected 'yes' or 'no' (in JSON also true or false), or \"\" where",
        ),
        (
            "seconds",
            2**53,
            "9007199254740992.0, expected a time as UNIX_SECONDS: a whole number within ±900",
        ),
        ("days", 0.25, "0.25, expected a time as UNIX_DAYS: a whole number within ±104249"),
        (
            "ordered at",
            "2023-02-29 00:00:00",
            "'2023-02-29 00:00:00', expected a time from 1684 to 2255 in the format '%Y-%m-%d %H",
        ),
        (
            "stamp",
            "2024-01-01",
            "'2024-01-01', expected a time from 1684 to 2255 in the format '%Y-%m-%dT%H:%M:%S",
        ),
    ],
)
def test_a_value_that_is_not_of_its_type_is_named_with_its_row(
    model, inputs, name, value, expected
):
    rows = rows_of(inputs)
    rows[5] |= {name: value}
    rows[7] |= {name: value}
    with pytest.raises(GraphError) as caught:
        answered(model, {"instances": rows})
    error = caught.value.explained()
    assert isinstance(error, RowError)
    assert error.status == 400
    assert error.within("instances").message.startswith(f"instances[5], input {name!r}: {expected}")


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("flag", "int64_list", 7, "7, expected 0 or 1"),
        ("member", "bytes_list", b"\xff", "'\ufffd', expected 'yes' or 'no'"),
        ("days", "int64_list", 10**6, "1000000, expected a time as UNIX_DAYS"),
        (
            "day",
            "bytes_list",
            b"31 Feb 2024",
            "'31 Feb 2024', expected a time from 1684 to 2255 in the format",
        ),
    ],
)
def test_a_feature_that_is_not_of_its_type_is_named_with_its_row(
    model, name, field, value, expected
):
    wrong = tf.train.Example()
    getattr(wrong.features.feature[name], field).value.append(value)
    serialised = np.array([b"", b"", wrong.SerializeToString()], object)
    with pytest.raises(GraphError) as caught:
        model.run("serving_default", {"examples": serialised})
    error = caught.value.explained()
    assert isinstance(error, RowError)
    assert error.within("examples").message.startswith(f"examples[2], feature {name!r}: {expected}")


def test_missing_values_are_warned_of_as_in_other_columns(model, inputs):
    blank = {
        name: np.array([b""] if v.dtype == object else [np.nan], v.dtype)
        for name, v in inputs.items()
    }
    assert model.run("predict", blank)["warnings"].tolist() == [b""]  # no column is required
