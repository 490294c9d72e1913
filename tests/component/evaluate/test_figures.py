"""The totals give the same figures however the rows were distributed over workers."""

import itertools

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from components.evaluate import bootstrap
from components.evaluate.figures import ScoredBatch, Totals
from components.evaluate.slices import Slicing
from schemas.columns import Column
from schemas.tasks.binary import Binary

TASK = Binary.model_validate({"name": "l", "equals": {"column": "x", "values": [1]}})
SLICINGS = (
    Slicing(Column("pay", "BYTES", True), ("cash",)),
    Slicing(Column("hour", "INT", True), (7,)),
)


@pytest.fixture(autouse=True)
def _few_replicates(monkeypatch):
    monkeypatch.setattr(bootstrap, "REPLICATES", 3)


def batch(rows):
    label, model, logistic, last, pay, hour = np.array(rows, np.float64).reshape(-1, 6).T
    return ScoredBatch(
        label=label.astype(np.int64),
        scores=tuple(np.float32(s) for s in (model, logistic, last)),
        slices=(pay.astype(np.int64), hour.astype(np.int64)),
        relabelled=int((hour == 1).sum()),
    )


def totals(*batches):
    sums = Totals.zeros(TASK, 3, SLICINGS)
    for rows in batches:
        sums.add(batch(rows))
    return sums


def numbers(metrics):
    return {name: -1 if value is None else value for name, value in metrics.items()}


ROW = st.tuples(
    st.integers(0, 1),
    *[st.floats(0, 1, width=32)] * 3,
    st.integers(0, 2),
    st.integers(0, 1),
)


def test_merging_adds_rows_labels_and_what_is_invalid():
    one = totals([[1, 0.5, 0.5, np.nan, 0, 1]])
    one.merge(totals([[0, 0.5, 0.5, np.nan, 0, 1], [0, 0.5, 0.5, 0.5, 0, 0]]))
    figures = one.figures(SLICINGS)
    assert (figures.relabelled, figures.invalid) == (2, (0, 0, 2))
    assert [m["examples"] for m in figures.models] == [3, 3, 1]


# Totals are megabytes: making a failing example small would take minutes.
@settings(max_examples=25, phases=[Phase.reuse, Phase.generate])
@given(st.lists(ROW, min_size=1, max_size=30), st.data())
def test_figures_do_not_depend_on_the_order_of_sums(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    edges = [0, *cuts, len(rows)]
    workers = [totals(rows[a:b]) for a, b in itertools.pairwise(edges)]
    first, *rest = reversed(workers)
    for other in rest:
        first.merge(other)

    merged, whole = first.figures(SLICINGS), totals(rows).figures(SLICINGS)

    assert [(s.column, s.value, s.kind) for s in merged.slices] == [
        (s.column, s.value, s.kind) for s in whole.slices
    ]
    assert merged.relabelled == whole.relabelled
    for ours, theirs in zip(
        (*merged.models, *(s.metrics for s in merged.slices)),
        (*whole.models, *(s.metrics for s in whole.slices)),
        strict=True,
    ):
        assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-9)


def test_slices_partition_the_rows_by_falling_count_and_without_empty_ones():
    figures = totals(
        [[1, 0.9, 0.6, 0.8, 0, 0], [0, 0.2, 0.5, 0.3, 0, 1]], [[0, 0.4, 0.5, 0.1, 2, 1]]
    ).figures(SLICINGS)
    assert [
        (s.column, s.value, s.metrics["examples"], s.metrics["positives"]) for s in figures.slices
    ] == [
        ("pay", "cash", 2, 1),
        ("pay", "(other)", 1, 0),
        ("hour", "(missing)", 2, 0),
        ("hour", "7", 1, 1),
    ]
    assert [m["examples"] for m in figures.models] == [3, 3, 3]
    assert [round(m["mean_score"], 6) for m in figures.models] == [0.5, 0.533333, 0.4]
    assert figures.relabelled == 2


def test_a_model_without_any_valid_score_has_no_metrics():
    figures = totals([[1, 0.5, np.nan, 0.5, 0, 0]]).figures(SLICINGS)
    assert figures.invalid == (0, 1, 0)
    assert figures.models[1] is None
    assert figures.models[0]["examples"] == 1


def test_no_rows_have_no_figures():
    figures = totals().figures(SLICINGS)
    assert figures.models == (None, None, None)
    assert figures.slices == ()
