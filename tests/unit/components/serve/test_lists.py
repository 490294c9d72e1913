"""Lists in requests: as one array, joined to others of another width, and counted by column."""

from dataclasses import replace

import numpy as np
import pytest

from components import list_matrices
from components.export.signatures import NOT_TIMES
from components.serve.column_counts import Columns
from components.serve.diagnosis import fault
from components.serve.failures import TOO_LARGE, RequestError
from components.serve.lists import stacked
from components.serve.signature import ExampleFeature, Signature, Tensor
from components.serve.tensors import array_of
from components.serve.tf_examples import _example, _feature
from schemas.columns import Column
from schemas.description import Input
from tests.described import described

NAN, INF = float("nan"), float("inf")
TAGS = Tensor("tags:0", "DT_STRING", (-1, -1), Column("tags", "BYTES", True, most=3))
DAYS = Tensor("days:0", "DT_DOUBLE", (-1, -1), Column("days", "INT", True, most=3))


def test_lists_are_padded_to_the_longest():
    tags = array_of([["a", "b"], None, [], ["c"]], TAGS, "tags")
    assert tags.tolist() == [[b"a", b"b"], [b"", b""], [b"\0", b""], [b"c", b""]]
    days = array_of([[1], None, []], DAYS, "days")
    np.testing.assert_array_equal(days, [[1], [NAN], [INF]])
    assert array_of([], TAGS, "tags").shape == (0, 1)


def test_booleans_and_times_in_lists_are_written_as_they_are_alone():
    answers = Column("answers", "BOOL_TEXT", True, form=("yes", "no"), most=3)
    texts = array_of([[True, "no"], []], Tensor("a:0", "DT_STRING", (-1, -1), answers), "answers")
    assert texts.tolist() == [[b"yes", b"no"], [b"\0", b""]]
    flags = Column("flags", "BOOL", True, most=3)
    numbers = array_of([[True, False, 1]], Tensor("f:0", "DT_DOUBLE", (-1, -1), flags), "flags")
    assert numbers.tolist() == [[1, 0, 1]]


def test_the_value_in_a_list_that_a_graph_refused_is_named():
    visits = Column("visits", "TIME_TEXT", True, form=("%Y-%m-%d",), most=3)
    tensor = Tensor("visits:0", "DT_STRING", (-1, -1), visits)
    feature = ExampleFeature("DT_STRING", most=3, column=visits)
    rows = [["2024-02-29"], ["2024-02-29", "2023-02-29"]]
    of_columns = Signature({"visits": tensor}, {}, "")
    found = fault(of_columns, {"visits": array_of(rows, tensor, "")}, NOT_TIMES)
    examples = np.array(
        [_example({b"visits": _feature(row, feature, "")}, {}) for row in rows], object
    )
    of_examples = Signature({"examples": Tensor("", "DT_STRING", (-1,))}, {}, "")
    of_examples = replace(of_examples, features={"visits": feature})
    for error in (found, fault(of_examples, {"examples": examples}, NOT_TIMES)):
        assert error is not None
        assert error.message.startswith("row 1, ")
        assert "'2023-02-29', expected a time from 1684 to 2255" in error.message


@pytest.mark.parametrize(
    ("value", "tensor", "said"),
    [
        ("a", TAGS, "tags: 'a', expected a list for each row"),
        (["a"], TAGS, "tags: 'a', expected a list of values, or null"),
        ([["a"], 5], TAGS, "tags: 5, expected a list of values, or null"),
        ([["a"] * 4], TAGS, "tags: a list of 4 values, expected at most 3"),
        ([["a", None]], TAGS, "tags: null, expected a string"),
        ([[True]], DAYS, "tags: true, expected a number"),
        ([[2**53 + 1]], DAYS, "would lose digits"),
    ],
)
def test_other_values_are_refused(value, tensor, said):
    with pytest.raises(RequestError) as refused:
        array_of(value, tensor, "tags")
    assert said in refused.value.message


def test_arrays_of_other_widths_are_joined():
    empty = np.empty((1, 0), object)  # an array without columns has empty lists
    given: list[list[list[str] | None]] = [[["a", "b"]], [None], [[]]]
    arrays = [array_of(each, TAGS, "") for each in given]
    joined = stacked([*arrays, empty], "tags")
    assert joined.tolist() == [[b"a", b"b"], [b"", b""], [b"\0", b""], [b"\0", b""]]
    assert list_matrices.missing(joined).tolist() == [False, True, False, False]


def test_a_long_list_beside_many_rows_is_refused():
    arrays = [np.full((1, 1_000), NAN), np.full((20_000, 1), NAN)]
    with pytest.raises(RequestError, match="may be at most 16,777,216") as refused:
        stacked(arrays, "days")
    assert refused.value.status == TOO_LARGE


def test_values_of_lists_are_counted():
    tags = Input(name="tags", kind="BYTES", most=3, required=False, known=("a", "b"))
    days = Input(name="days", kind="INT", most=3, required=False, minimum=0, maximum=6)
    columns = Columns(described(inputs=(tags, days)))
    counted = columns.counts(
        "predict",
        {
            "tags": array_of([["a", "x", "y"], None, [], ["b"]], TAGS, ""),
            "days": array_of([[1, 7], [], None, [-1]], DAYS, ""),
        },
    )
    assert counted["tags"][:3] == (4, 1, 2)
    assert (counted["days"].missing, counted["days"].outside) == (1, 2)
