"""Shapley values of functions whose values are known."""

import numpy as np
import pytest

from components.explain.shapley import MOST_EXACT, shapley_values

draw = np.random.default_rng(5)


def pool(columns, background=20):
    """A row, then background rows."""
    return {f"c{n}": draw.normal(size=background + 1) for n in range(columns)}


def weighted(rows):
    return sum((n + 1) * values for n, values in enumerate(rows.values()))


@pytest.mark.parametrize("columns", [1, 3, MOST_EXACT + 4])
def test_an_additive_model_gives_each_column_its_own_term(columns):
    given = pool(columns)
    found = shapley_values(weighted, given, most_rows=5_000)
    own = [(n + 1) * (v[0] - v[1:].mean()) for n, v in enumerate(given.values())]
    np.testing.assert_allclose(found.values[:, 0], own, atol=1e-9)
    np.testing.assert_allclose(found.errors, 0, atol=1e-9)
    assert found.exact == (columns <= MOST_EXACT)
    assert found.base == pytest.approx(weighted(given)[1:].mean())
    assert found.answer == pytest.approx(weighted(given)[0])


def test_a_product_is_shared_between_its_columns():
    """Of x y against x = y = 0, each gets half; what the model does not use gets nothing."""
    given = {"x": np.array([2.0, 0.0]), "unused": np.array([7.0, 1.0]), "y": np.array([3.0, 0.0])}
    found = shapley_values(lambda rows: rows["x"] * rows["y"], given, most_rows=100)
    assert found.values[:, 0].tolist() == pytest.approx([3, 0, 3])


def test_sampled_values_are_within_their_errors_and_add_up():
    given = pool(MOST_EXACT + 4, background=30)
    (first, second), others = list(given)[:2], list(given)[2:]

    def answer(rows):
        product = rows[first] * rows[second] * 5
        return np.stack([product + sum(rows[name] for name in others), weighted(rows)], axis=1)

    found = shapley_values(answer, given, most_rows=20_000)
    x, y = given[first], given[second]
    alone = 5 * (x[0] * y[1:].mean() - (x[1:] * y[1:]).mean())
    both = 5 * (x[0] * y[0] - x[1:].mean() * y[0])
    assert abs(found.values[0, 0] - (alone + both) / 2) <= 4 * found.errors[0, 0] + 1e-9
    np.testing.assert_allclose(found.base + found.values.sum(axis=0), found.answer, atol=1e-9)
    again = shapley_values(answer, given, most_rows=20_000)
    np.testing.assert_array_equal(found.values, again.values)


@pytest.mark.parametrize(("columns", "most"), [(15, 50_000), (60, 20_000), (500, 50_000)])
def test_the_rows_that_are_scored_are_bounded(columns, most):
    found = shapley_values(weighted, pool(columns, background=100), most_rows=most)
    assert found.scored <= most * 1.02
    assert 5 <= found.background <= 100
