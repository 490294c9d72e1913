"""Quantiles from sketches that are sent a slice of the columns at a time."""

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that

from components.transform import distributions

pytestmark = pytest.mark.component

COLUMNS, PARTS, ERROR = 2 * distributions._SLICE + 3, 7, 0.001


def batches(sizes):
    random = np.random.default_rng(7)
    for size in sizes:
        values = 5 + random.lognormal(size=(size, COLUMNS))
        values[1:][random.random((size - 1, COLUMNS)) < 0.1] = np.nan
        values[1:][random.random((size - 1, COLUMNS)) < 0.1] = np.inf
        values[:, 3] = np.nan
        yield (values,)


def doubled(quantiles):
    return 2 * quantiles


@pytest.mark.parametrize("sizes", [[1], [50, 1, 3], [4_000, 3_000]])
def test_figures_are_of_the_quantiles_of_the_finite_values(sizes):
    rows = np.concatenate([values for (values,) in batches(sizes)])

    def check(found):
        (quantiles,) = found
        assert quantiles.shape == (COLUMNS, PARTS + 1)
        for own, values in zip(quantiles / 2, rows.T, strict=True):
            known = np.sort(values[np.isfinite(values)])
            if len(known) == 0:
                assert np.isnan(own).all()
                continue
            assert (own[0], own[-1]) == (known[0], known[-1])
            below, upto = (np.searchsorted(known, own, side=side) for side in ("left", "right"))
            wanted = np.linspace(0, 1, PARTS + 1) * len(known)
            assert (below <= wanted + ERROR * len(rows) + 1).all()
            assert (upto >= wanted - ERROR * len(rows) - 1).all()

    with beam.Pipeline("FnApiRunner") as pipeline:
        given = pipeline | beam.Create(list(batches(sizes)), reshuffle=False)
        combine = distributions.CombineDistributions(PARTS, ERROR)
        assert_that(given | distributions.Learn(COLUMNS, combine, doubled), check)


@pytest.mark.parametrize("parts", [1, 4])
def test_merged_distributions_have_the_values_of_all(parts):
    combine = distributions.CombineDistributions(parts)
    rows = [np.arange(first, 4001.0, 4)[:, None] for first in range(1, 5)]
    seen = [combine.compact(combine.add_input(None, part)) for part in rows]
    assert combine.compact(combine.create_accumulator()) is None
    assert combine.merge_accumulators([None]) is None
    merged = combine.merge_accumulators([None, *seen, None])
    assert merged is not None
    expected = [np.linspace(1, 4000, parts + 1)]
    np.testing.assert_allclose(combine.extract_output(merged), expected, atol=4)
