"""Statistics of columns → what the page shows."""

import itertools

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.report.distributions import common, cut, numbers, values

QUANTILES = statistics_pb2.Histogram.QUANTILES


def number_feature(sample, missing=0):
    feature = statistics_pb2.FeatureNameStatistics()
    stats, sample = feature.num_stats, np.sort(np.asarray(sample, float))
    stats.common_stats.num_non_missing = stats.common_stats.tot_num_values = len(sample)
    stats.common_stats.num_missing = missing
    stats.num_zeros = int((sample == 0).sum())
    stats.mean, stats.std_dev = sample.mean(), sample.std()
    stats.min, stats.median, stats.max = sample[0], np.median(sample), sample[-1]
    edges = np.quantile(sample, np.linspace(0, 1, 21), method="inverted_cdf")
    histogram = stats.histograms.add(type=QUANTILES)
    for low, high in itertools.pairwise(edges):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=len(sample) / 20)
    return feature


def text_feature(counts, unique=None):
    feature = statistics_pb2.FeatureNameStatistics()
    stats, total = feature.string_stats, sum(counts.values())
    stats.common_stats.num_non_missing = stats.common_stats.tot_num_values = total
    stats.unique = len(counts) if unique is None else unique
    for value, count in counts.items():
        stats.top_values.add(value=value, frequency=count)
    return feature


@pytest.mark.parametrize(
    "sample",
    [
        np.random.default_rng(1).normal(size=5000),
        np.random.default_rng(2).exponential(size=5000) * 1e6,
        np.repeat(np.arange(7), 100),
        [4.0],
        [0.0] * 99 + [1e9],
    ],
)
def test_every_value_is_in_one_bin(sample):
    found = numbers({"train": number_feature(sample)})["histogram"]
    assert np.all(np.diff(found["edges"]) > 0)
    assert len(found["shares"]["train"]) == len(found["edges"]) - 1
    assert sum(found["shares"]["train"]) == pytest.approx(1, abs=1e-2)
    assert found["below"] == (min(sample) < found["edges"][0])
    assert found["above"] == (max(sample) > found["edges"][-1])


def test_shares_are_near_those_of_the_values():
    sample = np.random.default_rng(4).normal(size=20_000)
    found = numbers({"train": number_feature(sample)})["histogram"]
    inner = np.array(found["edges"])[1:-1]
    expected = np.bincount(np.searchsorted(inner, sample, side="right")) / len(sample)
    assert found["shares"]["train"] == pytest.approx(expected, abs=0.02)


def test_splits_have_the_same_bins():
    both = {"train": number_feature(np.arange(100)), "eval": number_feature(np.arange(50))}
    found = numbers(both)["histogram"]
    assert found["shares"].keys() == both.keys()
    half = len(found["edges"]) // 2
    assert sum(found["shares"]["eval"][half + 1 :]) < 0.1 < sum(found["shares"]["train"][half:])


def test_whole_numbers_have_a_bin_each_where_they_are_few():
    found = numbers({"train": number_feature(np.repeat(np.arange(4), 50))})["histogram"]
    assert found["edges"] == [-0.5, 0.5, 1.5, 2.5, 3.5]


def test_a_number_far_away_does_not_squeeze_the_others():
    sample = [*np.linspace(0, 10, 990), *[1e6] * 10]
    found = numbers({"train": number_feature(sample)})["histogram"]
    assert found["above"]
    assert found["edges"][-1] < 20


def test_figures_of_numbers():
    found = numbers({"train": number_feature(np.arange(101))})["figures"]["train"]
    assert found["quantiles"] == pytest.approx([5, 25, 50, 75, 95])
    assert (found["minimum"], found["maximum"], found["mean"]) == (0, 100, 50)
    assert found["zeros"] == pytest.approx(1 / 101)


def test_a_column_without_values_has_no_histogram():
    feature = statistics_pb2.FeatureNameStatistics()
    feature.num_stats.common_stats.num_missing = 5
    found = numbers({"train": feature})
    assert found["histogram"] is None
    assert set(found["figures"]["train"].values()) == {None}
    assert common({"train": feature}, {"train": 5}) == {"train": {"rows": 5, "missing": 1.0}}


def test_frequent_values_have_a_share_in_each_split():
    train = text_feature({"a": 6, "b": 4})
    found = values({"train": train, "eval": text_feature({"b": 1, "x" * 200: 1}, unique=9)})
    assert found["top"] == [
        {"value": "a", "shares": {"train": 0.6, "eval": None}},
        {"value": "b", "shares": {"train": 0.4, "eval": 0.5}},
        {"value": cut("x" * 200), "shares": {"train": 0.0, "eval": 0.5}},
    ]
    assert found["figures"]["train"]["distinct"] == 2


def test_a_split_without_rows_has_no_share_missing():
    found = common({"test": text_feature({})}, {"test": 0})
    assert found["test"]["missing"] is None
