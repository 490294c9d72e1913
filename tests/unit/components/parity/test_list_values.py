"""The lists that a proof tries are those that a request can carry."""

import math

import pytest

from components.parity.list_values import adversarial_lists
from schemas.columns import Column

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("kind", "single", "left"),
    [
        ("FLOAT", [1.5, NAN, INF, -INF], [1.5, -INF]),
        ("INT", [7, -(2**63)], [7]),
        ("BYTES", [b"a", b"", b"\0"], [b"a"]),
    ],
)
def test_no_list_has_a_value_that_stands_for_missing_or_empty(kind, single, left):
    column = Column("x", kind, serving=True, most=3)
    lists = adversarial_lists(column, [None, [left[0]] * 2], single)
    assert [] in lists
    assert {repr(value) for each in lists for value in each} == set(map(repr, left))
    assert max(map(len, lists)) == 3
