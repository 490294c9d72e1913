"""Two versions' scores: summed parts give the figures that numpy computes for all rows."""

import numpy as np
import pyarrow as pa
import pytest

from components.score.compare import Sums, difference, renamed


def batch(scores, classes=None):
    columns = {"score": pa.array(scores, pa.float32())}
    if classes is not None:
        columns["class"] = pa.array(classes)
    return pa.record_batch(list(columns.values()), list(columns))


def test_sums_of_parts_are_the_sums_of_the_whole():
    random = np.random.default_rng(3)
    ours, other = batch(random.random(50)), batch(random.random(50))
    parts = [Sums.of(ours.slice(i, 9), other.slice(i, 9)) for i in range(0, 50, 9)]
    found = Sums.add(parts).comparison()
    a, b = (x.column(0).to_numpy().astype(np.float64) for x in (ours, other))
    assert found.rows == 50
    assert found.mean_absolute_difference == pytest.approx(np.abs(a - b).mean())
    assert found.largest_difference == pytest.approx(np.abs(a - b).max())
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert found.changed_class_share == np.mean((a >= 0.5) != (b >= 0.5))


def test_classes_are_those_of_the_versions():
    ours, other = batch([0.4, 0.4], ["yes", "no"]), batch([0.4, 0.4], ["yes", "yes"])
    assert Sums.of(ours, other).comparison().changed_class_share == 0.5


def test_renamed_classes_are_reported_and_do_not_count_as_changed():
    ours, other = batch([0.9, 0.6, 0.1], ["big", "small", "small"]), ["1", "1", "0"]
    names = renamed(("small", "big"), ("0", "1"))
    found = Sums.of(ours, batch([0.9, 0.6, 0.1], other), names).comparison(names)
    assert found.changed_class_share == pytest.approx(1 / 3)  # by another threshold
    text = "; classes were renamed: '0' is 'small' here, '1' is 'big' here"
    assert found.summary().endswith(text)
    assert "renamed" not in Sums.of(ours, ours).comparison().summary()


def test_a_class_that_took_another_ones_name_is_compared_by_place():
    names = renamed(("none", "no", "yes"), ("no", "yes", "maybe"))
    ours = batch([0.1, 0.1, 0.1], ["none", "no", "yes"])
    other = batch([0.1, 0.1, 0.1], ["no", "yes", "maybe"])
    assert Sums.of(ours, other, names).comparison().changed_class_share == 0.0


def test_equal_scores_have_no_correlation():
    same = batch([0.5, 0.5])
    found = Sums.of(same, same).comparison()
    assert (found.correlation, found.largest_difference) == (None, 0.0)
    assert "correlation none" in found.summary()


def test_no_rows_compare():
    assert Sums.add([]).comparison().rows == 0


def test_the_difference_is_ours_less_the_others():
    assert difference(batch([0.75]), batch([0.25])).to_pylist() == [0.5]
