"""Histograms as arrays are TFDV's own, bit by bit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_data_validation.utils import quantiles_util

from components.validate import histograms

pytestmark = pytest.mark.skipif(not histograms.EQUAL, reason="TFDV computes them on this line")
INF = math.inf
EQUAL_WIDTH, BIN_WEIGHTS = histograms._equal_width, histograms._bin_weights
NUMBERS = st.one_of(
    st.floats(allow_nan=False), st.integers(-3, 3).map(float), st.floats(0, 1), st.just(5e-324)
)


@given(st.lists(NUMBERS, min_size=2, max_size=40), st.data())
def test_histograms_equal_those_of_tfdv(values, data):
    quantiles = np.array(sorted(values))
    steps = data.draw(st.lists(st.floats(0, 1e6), min_size=len(values), max_size=len(values)))
    finite = quantiles[np.isfinite(quantiles)]
    arguments = {
        "quantiles": quantiles,
        "cumulative_counts": np.cumsum(steps),
        "finite_min": finite[0] if len(finite) else INF,
        "finite_max": finite[-1] if len(finite) else -INF,
        "num_buckets": data.draw(st.integers(1, 12)),
        "num_pos_inf": float((quantiles == INF).sum()),
    }
    with np.errstate(all="ignore"):  # a range may exceed the largest number
        assert histograms.equal_width(**arguments) == EQUAL_WIDTH(**arguments)


@given(st.lists(NUMBERS, min_size=1, max_size=12))
def test_weights_of_bins_equal_those_of_tfdv(values):
    boundaries, cumulative = np.array(sorted(values)), np.arange(len(values)) * 0.3 + 0.1
    for ours, theirs in zip(
        histograms.bin_weights(boundaries, cumulative),
        BIN_WEIGHTS(boundaries, cumulative),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_tfdv_has_its_own_again_after_the_block():
    with histograms.as_arrays():
        assert quantiles_util.generate_equi_width_histogram is histograms.equal_width
    assert quantiles_util.generate_equi_width_histogram is EQUAL_WIDTH
    assert quantiles_util._get_bin_weights is BIN_WEIGHTS
