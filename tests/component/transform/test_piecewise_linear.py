"""Places among training quantiles, compared with numpy's interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from components.transform.edges import Combine, chosen
from components.transform.treatments.piecewise_linear import boundaries

pytestmark = pytest.mark.component

ROWS, BINS = 400, 6
RNG = np.random.default_rng(3)
NAN, INF = float("nan"), float("inf")


def column(values):
    return np.asarray(values, np.float32)


COLUMNS = {
    "wide": column(RNG.lognormal(sigma=2, size=ROWS)),
    "far": column(RNG.normal(-87.6, 0.1, ROWS)),
    "few": column(RNG.integers(0, 5, ROWS)),
    "mostly": column(np.where(RNG.random(ROWS) < 0.7, 0.0, RNG.normal(5, 1, ROWS))),
    "constant": column([3.5] * ROWS),
    "empty": column([NAN] * ROWS),
    "holes": column(np.where(RNG.random(ROWS) < 0.3, NAN, RNG.normal(size=ROWS))),
    "infinite": column(np.where(RNG.random(ROWS) < 0.1, -INF, RNG.normal(size=ROWS))),
}
OTHERS = column([-INF, -1e30, -1.0, -0.0, 1e-40, 0.5, 3.5, 4.0, 1e30, INF, NAN])


def edges_by_numpy(values):
    known = np.sort(values[np.isfinite(values)]).astype(np.float64)
    distinct = np.unique(known)
    if len(distinct) <= BINS + 1:
        return distinct
    top = known[len(known) // 2]
    others = known[known != top]
    if 2 * len(others) < len(known):
        return np.union1d(np.quantile(others, np.linspace(0, 1, BINS)), [top])
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))


@pytest.fixture(scope="module")
def edges():
    """The edges of all columns, from two sketches of half of the rows each."""
    combine, matrix = Combine(BINS), np.stack([*COLUMNS.values()], axis=1).astype(np.float64)
    halves = [combine.compact(combine.add_input(None, half)) for half in np.split(matrix, 2)]
    merged = combine.merge_accumulators([None, *halves])
    assert merged is not None
    found = combine.extract_output(merged)
    return dict(zip(COLUMNS, found, strict=True))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "empty"])
def test_edges_are_quantiles_of_the_finite_values(edges, name):
    expected, found = edges_by_numpy(COLUMNS[name]), edges[name]
    assert found.shape == (BINS + 1,)
    assert (found[len(expected) :] == found[-1]).all()
    ranks = [np.searchsorted(np.sort(COLUMNS[name]), e) / ROWS for e in (expected, found)]
    np.testing.assert_allclose(ranks[1][: len(expected)], ranks[0], atol=0.01)


@pytest.mark.parametrize("name", ["wide", "far", "holes"])
def test_the_first_and_the_last_edge_are_the_extremes(edges, name):
    known = COLUMNS[name][~np.isnan(COLUMNS[name])]
    assert (edges[name][0], edges[name][-1]) == (known.min(), known.max())


def test_a_column_without_values_has_no_edges(edges):
    assert np.isnan(edges["empty"]).all()


def test_edges_of_many_quantiles_keep_both_ends():
    assert chosen(np.arange(1001.0), 10).tolist() == [100.0 * i for i in range(11)]
    assert chosen(np.array([0.0] * 8 + [1, 2, 3, 4, 5]), 3).tolist() == [0, 1, 3, 5]


@pytest.fixture(scope="module")
def transformed(run):
    kinds = dict.fromkeys(COLUMNS, "FLOAT")
    features = {name: {"piecewise_linear": {"bins": BINS}} for name in COLUMNS}
    rows = {
        "train": {name: values.tolist() for name, values in COLUMNS.items()},
        "eval": {name: OTHERS.tolist() for name in COLUMNS},
    }
    return run(kinds, features, rows, batch_rows=100)


@pytest.mark.parametrize("name", list(COLUMNS))
@pytest.mark.parametrize("split", ["train", "eval"])
def test_a_place_is_numpys_interpolation_and_its_bin_the_interval(transformed, edges, name, split):
    values = COLUMNS[name] if split == "train" else OTHERS
    got, ends = transformed.split(split), np.unique(edges[name])
    values = np.where(np.abs(values) < np.finfo(np.float32).tiny, 0, values).astype(np.float64)
    place = np.nan_to_num(np.interp(values, ends, np.arange(len(ends))))
    np.testing.assert_allclose(got[f"{name}_place"], place, rtol=1e-6, atol=1e-6)
    known = ~np.isnan(values) & (name != "empty")
    number = np.minimum(np.searchsorted(ends[1:-1], values, side="right"), max(len(ends) - 2, 0))
    assert got[f"{name}_bin"] == np.where(known, number + 1, 0).tolist()


def test_features_are_a_place_for_the_deep_part_and_an_id_for_the_wide_part(transformed):
    place, number = (f for f in transformed.layout.features if f.columns == ("wide",))
    assert (place.name, place.role, place.size, place.dtype) == (
        "wide_place",
        "place",
        BINS,
        "float32",
    )
    assert (number.name, number.role, number.size, number.dtype) == (
        "wide_bin",
        "wide",
        BINS + 1,
        "int64",
    )


def test_boundaries_have_every_edge(transformed, edges):
    found = boundaries(str(transformed.graph), transformed.layout.features)
    assert set(edges["wide"]) <= set(found["wide"])
