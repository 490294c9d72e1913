"""Which columns are dropped for being of no help, by what permuting them costs."""

import pytest

from components.explain.explained import ColumnImportance, Importance
from components.explain.importance import PairedDifference
from components.explain.unhelpful import find_unhelpful


class Meter:
    """Columns cost nothing together up to `most`, and 1 beyond."""

    def __init__(self, most):
        self.most, self.asked = most, []

    def permuted(self, groups, repeats):
        (names,) = groups
        self.asked.append(len(names))
        return [PairedDifference(float(len(names) > self.most), 0.1)]


def importance(*drops, unmeasured=()):
    """Columns a, b, … with an error of 0.1."""
    columns = [
        ColumnImportance(
            columns=(name,), features=(), splits={}, drop=d, low=d - 0.196, high=d + 0.196
        )
        for name, d in zip("abcdefgh", drops, strict=False)
    ]
    return Importance(
        metric="log_loss",
        split="eval",
        rows=9,
        repeats=1,
        value={},
        columns=tuple(columns),
        unmeasured=unmeasured,
    )


def dropped(meter, found):
    return ["".join(each.columns) for each in find_unhelpful(meter, found).columns]


def test_a_column_helps_from_1645_standard_errors_on():
    # 0.16 is 1.6 of them, 0.17 is 1.7
    assert dropped(Meter(9), importance(1, 0.17, 0.16, -1)) == ["d", "c"]


def test_what_was_not_measured_goes_first():
    found = importance(1, 0.5, 0, unmeasured=(("y", "z"), ("x",)))
    assert dropped(Meter(9), found) == ["yz", "x", "c"]


@pytest.mark.parametrize("most", range(6))
def test_columns_that_help_together_stay_the_most_important_first(most):
    meter = Meter(most)
    assert dropped(meter, importance(1, 0.05, 0.04, 0.03, 0.02, 0.01)) == list("fedcb")[:most]
    assert meter.asked[0] == 5
    assert len(meter.asked) <= 4


def test_one_column_always_stays():
    found = find_unhelpful(Meter(9), importance(0.02, 0.01))
    assert [each.columns for each in found.columns] == [("b",)]
    assert found.together is not None
    assert (found.together.drop, found.together.helps) == (0, False)
    alone = find_unhelpful(Meter(9), importance(0.02))
    assert (alone.columns, alone.together) == ((), None)
