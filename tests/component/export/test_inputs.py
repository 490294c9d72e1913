"""Requests → dense columns, with the stand-in for a missing value of each type."""

import pytest
import tensorflow as tf

from components.export.inputs import complete, parse, raw_columns
from schemas.columns import Column
from schemas.types import FLOAT, INT

pytestmark = pytest.mark.component

ALL = tuple(
    Column(f"{kind} {number}", kind, True)
    for kind in ("INT", "FLOAT", "BYTES")
    for number in range(3)
)
VALUES = {"INT": ("int64_list", 7), "FLOAT": ("float_list", 2.5), "BYTES": ("bytes_list", b"x")}


def example(columns, **values):
    """An Example with a value for each of these columns, or those given."""
    made = tf.train.Example()
    for column in columns:
        field, value = VALUES[column.kind]
        given = values.get(column.name, [value])
        getattr(made.features.feature[column.name], field).value.extend(given)
    return made.SerializeToString()


def plain(columns):
    return {name: tensor.numpy().tolist() for name, tensor in columns.items()}


@pytest.mark.parametrize("of_a_type", [1, 2, 3])
def test_examples_become_columns_however_many_a_type_has(of_a_type):
    columns = [c for c in ALL if int(c.name[-1]) < of_a_type]
    rows = [example(columns), example([]), example(columns[::-1])]
    got = parse(tf.constant(rows), tuple(columns))

    assert list(got) == [c.name for c in columns]
    for column in columns:
        _, value = VALUES[column.kind]
        first, second, third = got[column.name].numpy().tolist()
        assert (first, third) == (value, value)
        missing = {"INT": second == INT.missing, "FLOAT": second != second, "BYTES": second == b""}
        assert missing[column.kind]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_columns_without_a_value_in_any_row_are_missing(rows):
    got = parse(tf.constant([b""] * rows, tf.string), ALL)

    assert {name: len(values) for name, values in plain(got).items()} == {c.name: rows for c in ALL}


@pytest.mark.parametrize("column", ALL, ids=lambda column: column.name)
def test_several_values_in_a_row_are_refused_with_the_column(column):
    _, value = VALUES[column.kind]
    wrong = example(ALL, **{column.name: [value, value]})
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?s)several values.*{column.name}"):
        parse(tf.constant([example(ALL), wrong]), ALL)


@pytest.mark.parametrize("of_a_type", [1, 3])
def test_requests_become_columns_however_many_a_type_has(of_a_type):
    columns = tuple(c for c in ALL if int(c.name[-1]) < of_a_type)
    nan = float("nan")
    given = {
        "INT": tf.constant([3.0, nan], tf.float64),
        "FLOAT": tf.constant([1.5, nan]),
        "BYTES": tf.constant(["a", ""]),
    }
    left_out = columns[-1].name
    request = {c.name: given[c.kind][: 0 if c.name == left_out else 2] for c in columns}
    got = raw_columns(complete(request, columns), columns)

    assert got["INT 0"].numpy().tolist() == [3, INT.missing]
    assert str(got["FLOAT 0"].numpy().tolist()) == str([1.5, FLOAT.missing])
    assert got[left_out].numpy().tolist() == [b"", b""]
