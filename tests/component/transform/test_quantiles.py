"""Boundaries from sketches that are sent a slice of the columns at a time."""

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that
from tensorflow_transform import analyzers

from components.transform import quantiles

COLUMNS, BUCKETS, EPSILON = 2 * quantiles._SLICE + 3, 7, 0.05


def batches(sizes):
    random = np.random.default_rng(7)
    for size in sizes:
        values = random.lognormal(size=(size, COLUMNS))
        values[1:][random.random((size - 1, COLUMNS)) < 0.1] = np.nan
        yield values, np.where(np.arange(size) % 5, 1.0, 1e-30).astype(np.float32)


@pytest.mark.parametrize("sizes", [[1], [50, 1, 3], [4_000, 3_000]])
def test_boundaries_are_those_of_tft_bit_by_bit(sizes):
    combiner = analyzers.QuantilesCombiner(
        BUCKETS,
        EPSILON,
        np.float64,
        has_weights=True,
        output_shape=[COLUMNS, BUCKETS - 1],
        feature_shape=[COLUMNS],
    )
    sketch = combiner.create_accumulator()
    for batch in batches(sizes):
        sketch = combiner.add_input(sketch, batch)
    merged = combiner.merge_accumulators([combiner.create_accumulator(), combiner.compact(sketch)])
    (expected,) = combiner.extract_output(merged)

    def check(found):
        (boundaries,) = found
        np.testing.assert_array_equal(boundaries, expected)

    with beam.Pipeline("FnApiRunner") as pipeline:
        rows = pipeline | beam.Create(list(batches(sizes)), reshuffle=False)
        assert_that(rows | quantiles.Boundaries(COLUMNS, BUCKETS, EPSILON), check)


def test_merged_sketches_have_the_values_of_all():
    combine = quantiles.Sketches(4, 0.01)
    parts = [np.arange(first, 4000.0, 4)[:, None] for first in range(4)]
    sketches = [
        combine.compact(combine.add_input(None, (part, np.ones(len(part), np.float32))))
        for part in parts
    ]
    assert combine.compact(combine.create_accumulator()) is None
    merged = combine.merge_accumulators([None, *sketches, None])
    np.testing.assert_allclose(combine.extract_output(merged), [[1000, 2000, 3000]], atol=40)
