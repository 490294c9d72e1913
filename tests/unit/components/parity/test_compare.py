"""When a value counts as different, and how the difference is reported."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.parity.compare import EXACT, Expected, compare
from components.tasks.protocol import LOGIT
from components.tasks.protocol import PROBABILITY as SCORE

NAN, INF = float("nan"), float("inf")


def floats(*values):
    return np.array(values, np.float32)


def compared(expected, got, tolerance=EXACT, keep=3):
    return compare({"x": Expected(expected, tolerance)}, {"x": got}, keep=keep)


@pytest.mark.parametrize("values", [floats(1, NAN, INF, -INF, -0.0), np.array([1, 2**62])])
def test_equal_values_are_equal_whatever_they_are(values):
    comparison = compared(values, values.copy())

    assert (comparison.values, comparison.differing) == (len(values), 0)
    assert comparison.worst == ()


@pytest.mark.parametrize(
    ("expected", "got"), [(NAN, 1.0), (1.0, NAN), (INF, -INF), (INF, 3e38), (1.0, INF), (-INF, NAN)]
)
@pytest.mark.parametrize("tolerance", [EXACT, SCORE, LOGIT])
def test_special_values_equal_nothing_but_themselves(expected, got, tolerance):
    assert compared(floats(expected), floats(got), tolerance).differing == 1


def test_features_have_to_be_equal():
    next_float = np.nextafter(np.float32(1), np.float32(2))

    assert compared(floats(1.0), floats(next_float)).differing == 1
    assert compared(floats(1.0), floats(next_float), SCORE).differing == 0


@pytest.mark.parametrize(
    ("tolerance", "expected", "got", "differing"),
    [
        (SCORE, 0.5, 0.5000004, 0),
        (SCORE, 0.5, 0.5000011, 1),
        (SCORE, 1e-8, 1.05e-8, 0),  # under the floor of a billionth
        (SCORE, 1e-6, 1.01e-6, 1),
        (LOGIT, 1e-8, 5e-7, 0),
        (LOGIT, 0.1, 0.100002, 1),
        (LOGIT, -10.0, -10.00002, 1),
    ],
)
def test_scores_may_differ_by_a_millionth(tolerance, expected, got, differing):
    assert compared(floats(expected), floats(got), tolerance).differing == differing


def test_the_worst_differences_of_each_output_are_reported_one_a_row():
    expected = {
        "ids": Expected(np.array([1, 2, 3, 4])),
        "names": Expected(np.array([b"a", b"b", b"c", b"d\xff"], object)),
        "scores": Expected(np.array([[0.5, 0.5]] * 4, np.float32), SCORE),
    }
    got = {
        "ids": np.array([1, 3, 3, 8]),
        "names": np.array([b"a", b"b", b"c", b"d"], object),
        "scores": np.array([[0.5, 0.5], [0.4, 0.6], [0.1, 0.9], [0.5, 0.5]], np.float32),
    }
    comparison = compare(expected, got, keep=1)

    worst = [(d.output, d.row, d.expected, d.got, d.relative) for d in comparison.worst]
    assert worst == [
        ("ids", 3, "4", "8", 1.0),
        ("names", 3, "'d\ufffd'", "'d'", None),
        ("scores", 2, "0.5", "0.1", pytest.approx(0.8)),
    ]
    assert (comparison.values, comparison.differing) == (16, 7)


def test_a_difference_without_a_size_comes_first():
    comparison = compared(floats(1, 1, 0), floats(1e30, NAN, 2), keep=2)

    assert [(d.row, d.relative) for d in comparison.worst] == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("got", "form"),
    [
        ({}, "no such output"),
        ({"x": floats(1, 2)}, "float32[2]"),
        ({"x": np.array([1.0])}, "float64[1]"),
        ({"x": np.array([b"1"], object)}, "string[1]"),
    ],
)
def test_another_form_is_a_difference(got, form):
    comparison = compare({"x": Expected(floats(1))}, got, keep=3)

    assert comparison.differing == 1
    assert [(d.output, d.expected, d.got) for d in comparison.worst] == [("x", "float32[1]", form)]


def test_an_output_too_many_is_a_difference():
    comparison = compare({}, {"more": floats(1, 2)}, keep=3)

    assert comparison.differing == 1
    assert [(d.output, d.expected, d.got) for d in comparison.worst] == [
        ("more", "no such output", "float32[2]")
    ]


@given(st.lists(st.floats(width=32), min_size=1), st.floats(width=32))
def test_a_changed_value_is_found_where_it_is(values, other):
    expected = np.array(values, np.float32)
    got = expected.copy()
    got[-1] = other
    comparison = compared(expected, got)

    same = other == expected[-1] or (np.isnan(other) and np.isnan(expected[-1]))
    assert [d.row for d in comparison.worst] == ([] if same else [len(values) - 1])
