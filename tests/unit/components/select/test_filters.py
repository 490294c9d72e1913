"""Which columns each filter drops, and why."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pydantic
import pytest

from components.select.filters import ColumnTotals, SampledRows, judge
from schemas.selection import ColumnSelection

ROWS = 2_000


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, ROWS)
    good = label + rng.normal(0, 1, ROWS)
    columns = {
        "good": good,
        "near_good": good + rng.normal(0, 0.2, ROWS),
        "opposite": -good - rng.normal(0, 0.3, ROWS),
        "same_as_good": good,
        "noise": rng.normal(0, 1, ROWS),
        "constant": np.full(ROWS, 5),
        "nearly": (np.arange(ROWS) == 0).astype(np.int64),
        "empty": pa.nulls(ROWS, pa.float32()),
        "sparse": pa.array(np.arange(ROWS), mask=np.arange(ROWS) % 10 > 0),
        "city": pa.array(np.where(label & (rng.random(ROWS) < 0.8), "oslo", "rome").tolist()),
        "tags": pa.array([["a"]] * ROWS),
    }
    arrays = [c if isinstance(c, pa.Array) else pa.array(c) for c in columns.values()]
    rows = pa.record_batch(arrays, list(columns))
    return SampledRows(rows, label)


@pytest.fixture(scope="module")
def totals(sample):
    missing = {n: sample.of(n).null_count / ROWS for n in sample.rows.schema.names}
    return {n: ColumnTotals(share, n in ("constant", "empty")) for n, share in missing.items()}


def dropped(sample, totals, **options):
    judged = judge(sample, list(totals), totals, ColumnSelection(**options))
    return {each.column: each for each in judged.columns if each.reason}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"missing": 0.9}, {"empty", "sparse"}),
        ({"missing": 0.95}, {"empty"}),
        ({"one_value": 1}, {"constant", "empty"}),
        ({"one_value": 0.999}, {"constant", "empty", "nearly"}),
        ({"duplicates": True}, {"same_as_good"}),
        ({"mutual_information": 0.02}, {"noise", "nearly", "constant", "sparse"}),
        ({"correlation": 0.999}, {"same_as_good"}),
        ({"correlation": 0.9}, {"same_as_good", "near_good", "opposite"}),
    ],
)
def test_a_filter_drops_what_its_name_says(sample, totals, options, names):
    found = dropped(sample, totals, **options)
    assert found.keys() == names


def test_the_most_informative_of_a_cluster_stays(sample, totals):
    found = dropped(sample, totals, correlation=0.9)
    by_information = sample.best_first(["good", "near_good", "opposite", "same_as_good"])
    assert {each.other for each in found.values()} == {by_information[0]}
    near = found["near_good"]
    ranks = [sample.of(name).to_numpy().argsort().argsort() for name in ("near_good", "good")]
    rho = np.corrcoef(ranks)[0, 1]  # no two numbers are equal
    assert near.figure == pytest.approx(rho, abs=1e-5)
    assert found["opposite"].figure < -0.9


def test_keep_leaves_the_best_and_columns_without_bins(sample, totals):
    options = {"duplicates": True, "correlation": 0.9, "keep": 2, "by": "mrmr"}
    judged = judge(sample, list(totals), totals, ColumnSelection(**options))
    assert {e.column for e in judged.columns if not e.reason} == {"good", "city", "tags", "empty"}
    assert "beyond the best" in judged.dropped["noise"]
    assert judged.dropped["same_as_good"] == "equal to good in all of the sample"


def test_a_number_that_is_rare_in_all_rows_is_not_constant(sample):
    totals = {"constant": ColumnTotals(0.0, constant=False)}
    assert not dropped(sample, totals, one_value=1)
    assert dropped(sample, totals, one_value=0.999).keys() == {"constant"}


def test_by_needs_keep():
    with pytest.raises(pydantic.ValidationError, match="give `keep`"):
        ColumnSelection(by="cmim")
    assert not ColumnSelection().on
    assert ColumnSelection(duplicates=True).on
