"""Lists as Arrow arrays and as the matrices of requests."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import list_arrays
from schemas.columns import Column

TAGS = Column("tags", "BYTES", serving=True, most=4)
DAYS = Column("days", "INT", serving=True, most=4)
PRICES = Column("prices", "FLOAT", serving=True, most=4)


def listed(column, values):
    return pa.array(values, pa.list_(pa.type_for_alias(column.type.arrow)))


@pytest.mark.parametrize(
    ("column", "known"), [(TAGS, ["a", "ä\n"]), (DAYS, [1, -(2**53)]), (PRICES, [0.5, -1.0])]
)
@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1], [2], [1, 2], []])
def test_a_matrix_has_what_the_lists_have(column, known, rows):
    values = [known, None, [], known[:1] * 4]
    array = listed(column, [values[row] for row in rows])
    matrix = list_arrays.as_matrix(array, column)
    assert matrix.shape == (len(rows), max([1, *(len(values[row] or ()) for row in rows)]))
    assert list_arrays.of_matrix(matrix, column).equals(array)


@given(st.lists(st.none() | st.lists(st.integers(-3, 3), max_size=4)), st.integers(0, 3))
def test_slices_of_lists(values, start):
    part = listed(DAYS, values)[start:]
    matrix = list_arrays.as_matrix(part, DAYS)
    assert list_arrays.of_matrix(matrix, DAYS).to_pylist() == values[start:]
    filled = list_arrays.without_missing(part, DAYS).to_pylist()
    assert filled == [[DAYS.type.missing] if v is None else v for v in values[start:]]
    assert list_arrays.parts(part).to_array().equals(part)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1.0, np.nan, 2.0], "missing value within"),
        ([np.nan, 2.0], "missing value within"),
        ([np.inf, 2.0], "missing value within"),
        ([1.0, np.inf], "missing value within"),
        ([1.0] * 5, "more than 4 values"),
    ],
)
def test_a_matrix_that_is_no_list(row, said):
    with pytest.raises(ValueError, match=said):
        list_arrays.of_matrix(np.array([row]), DAYS)


def test_a_matrix_without_columns_has_empty_lists():
    matrix = np.empty((2, 0), object)
    assert list_arrays.of_matrix(matrix, TAGS).to_pylist() == [[], []]
