"""Compares the results of two runners for the same data, except for the order of rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import statistics_pb2

from schemas.splits.options import SPLITS
from tests.engines.stages import Made

# Floating point sums differ in their last digits with the order in which workers add them up …
CLOSE = 1e-6
# … and quantiles, which TFDV sketches, by this share of the rows.
SKETCHED = 0.01


def require_same(one: Made, other: Made) -> None:
    """Compare examples, statistics, vocabularies and transformed examples."""
    for split in SPLITS:
        _require_same_rows(one.examples, other.examples, split)
        ours, theirs = (_statistics(made.statistics, split) for made in (one, other))
        _require_close(ours, theirs, f"statistics of {split}")
    require_same_transform(one, other)


def require_same_transform(one: Made, other: Made) -> None:
    """Compare the results of transform."""
    ours, theirs = (
        {path.name: path.read_bytes() for path in (made.graph / "transform_fn/assets").iterdir()}
        for made in (one, other)
    )
    assert ours
    assert ours == theirs
    for split in SPLITS:
        _require_same_rows(one.transformed, other.transformed, split)


def _require_same_rows(one: Path, other: Path, split: str) -> None:
    ours, theirs = (_rows(folder, split) for folder in (one, other))
    assert ours.num_rows == theirs.num_rows > 0
    assert ours.schema == theirs.schema
    for name in ours.column_names:
        assert ours[name].equals(theirs[name]), f"{one.name}, {split}: {name} differs"


def _rows(folder: Path, split: str) -> pa.Table:
    """Return a split's rows in an order that depends only on their values."""
    paths = (folder / f"Split-{split}").glob("*.parquet")
    table = pa.concat_tables(pq.read_table(path) for path in paths)
    table = table.select(sorted(table.column_names)).combine_chunks()
    order = [json.dumps(row, sort_keys=True) for row in table.to_pylist()]
    return table.take(pa.array(np.argsort(np.array(order), kind="stable")))


def _statistics(folder: Path, split: str) -> dict[str, Any]:
    proto = statistics_pb2.DatasetFeatureStatisticsList()
    proto.ParseFromString((folder / f"Split-{split}/FeatureStats.pb").read_bytes())
    (dataset,) = proto.datasets
    assert dataset.num_examples > 0
    features = {f.path.step[0]: json_format.MessageToDict(f) for f in dataset.features}
    return {"num_examples": dataset.num_examples, **features}


def _require_close(ours: Any, theirs: Any, where: str) -> None:
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in ours.items():
            check = _require_alike if key in ("histograms", "median") else _require_close
            check(value, theirs[key], f"{where}.{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for index, (mine, its) in enumerate(zip(ours, theirs, strict=True)):
            _require_close(mine, its, f"{where}[{index}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        assert abs(ours - theirs) <= CLOSE * max(1.0, abs(ours)), f"{where}: {ours} and {theirs}"
    else:
        assert ours == theirs, where


def _require_alike(ours: Any, theirs: Any, where: str) -> None:
    """Compare results from sketches of the values' quantiles."""
    if where.endswith(".median"):
        return  # it is between two bounds of the histogram, which are compared
    assert [h.get("type") for h in ours] == [h.get("type") for h in theirs] == [None, "QUANTILES"]
    (standard, quantiles), (its_standard, its_quantiles) = ours, theirs
    counts, its_counts = (
        [b["sampleCount"] for b in h["buckets"]] for h in (standard, its_standard)
    )
    assert len(counts) == len(its_counts), where
    for count, its in zip(counts, its_counts, strict=True):
        assert abs(count - its) <= SKETCHED * sum(counts), f"{where}: {counts} and {its_counts}"
    bounds, its_bounds = (
        [b.get("highValue", 0.0) for b in h["buckets"]] for h in (quantiles, its_quantiles)
    )
    assert len(bounds) == len(its_bounds), where
    # a bound may move by a share of the rows, but never past its neighbours
    lows, highs = [-math.inf, *bounds[:-1]], [*bounds[1:], math.inf]
    for low, its, high in zip(lows, its_bounds, highs, strict=True):
        assert low <= its <= high, f"{where}: {bounds} and {its_bounds}"
