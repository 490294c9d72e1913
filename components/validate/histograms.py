"""TFDV's histograms of numbers, a list of buckets at a time instead of one by one.

For ten bars TFDV walks over 2,000 quantiles of each column in Python, each a message, which is half
of the time of a table's statistics. Here the same figures are computed as arrays, in the same
order, so that they are equal bit by bit. TFDV computes them in workers elsewhere, if it lacks these
functions, and with numpy 2, with which the last digits of both differ.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from tensorflow_data_validation.utils import quantiles_util
from tensorflow_metadata.proto.v0 import statistics_pb2

_bin_weights: Any = getattr(quantiles_util, "_get_bin_weights", None)
_equal_width: Any = getattr(quantiles_util, "generate_equi_width_histogram", None)
EQUAL = None not in (_bin_weights, _equal_width) and np.lib.NumpyVersion(np.__version__) < "2.0.0"


@contextlib.contextmanager
def as_arrays() -> Iterator[None]:
    """Let TFDV compute histograms in this way in this process."""
    if not EQUAL:
        yield
        return
    quantiles_util._get_bin_weights = bin_weights
    quantiles_util.generate_equi_width_histogram = equal_width
    try:
        yield
    finally:
        quantiles_util._get_bin_weights = _bin_weights
        quantiles_util.generate_equi_width_histogram = _equal_width


def bin_weights(
    boundaries: np.ndarray, cumulative: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low and high ends of bins, and their weights, as TFDV does."""
    low, high = boundaries[:-1], boundaries[1:]
    if not (len(high) and boundaries[0] == boundaries[0] and np.all(high[:-1] < high[1:])):
        spread: tuple[np.ndarray, np.ndarray, np.ndarray] = _bin_weights(boundaries, cumulative)
        return spread  # weights of equal bins are spread over them
    cumulative = cumulative.astype(np.float64)
    weights = np.diff(cumulative)
    weights[0] += cumulative[0]
    return low, high, weights


def equal_width(
    quantiles: np.ndarray,
    cumulative_counts: np.ndarray,
    finite_min: float,
    finite_max: float,
    num_buckets: int,
    num_pos_inf: float,
) -> statistics_pb2.Histogram:
    """Return the histogram of buckets of equal width, as TFDV does."""
    if num_pos_inf or not (np.isfinite(quantiles).all() and finite_min < finite_max):
        return _equal_width(
            quantiles, cumulative_counts, finite_min, finite_max, num_buckets, num_pos_inf
        )
    histogram = statistics_pb2.Histogram(type=statistics_pb2.Histogram.STANDARD)
    with np.errstate(over="ignore", invalid="ignore"):  # a range may exceed the largest number
        ends = np.linspace(finite_min, finite_max, num_buckets + 1)
    if not np.isfinite(ends).all():
        return histogram
    bins = bin_weights(quantiles, cumulative_counts)
    for number, (first, last) in enumerate(itertools.pairwise(ends)):
        count = _weight_within(*bins, first, last, number == 0)
        histogram.buckets.add(low_value=first, high_value=last, sample_count=count)
    return histogram


def _weight_within(
    low: np.ndarray,
    high: np.ndarray,
    weights: np.ndarray,
    first: float,
    last: float,
    leftmost: bool,
) -> float:
    """Return the weight of bins within an interval; that of a bin in part is spread evenly."""
    some = slice(np.searchsorted(high, first), np.searchsorted(low, last, side="right"))
    low, high, weights = low[some], high[some], weights[some]
    if not len(weights):
        return 0.0
    with np.errstate(all="ignore"):
        share = (np.minimum(high, last) - np.maximum(low, first)) / (high - low)
    share[(first <= low) & (last >= high)] = 1.0
    if not leftmost:  # a bin that is a point belongs to the interval that it ends
        share[(low == high) & (low == first)] = 0.0
    return float(np.cumsum(share * weights)[-1])  # from left to right, as TFDV adds them
