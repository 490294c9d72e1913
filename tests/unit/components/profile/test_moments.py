"""What `init` proposes for times beside their parts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.profile.choices import choose
from components.profile.moments import with_times
from components.profile.types import typed
from components.profile.values import ColumnValues

ROWS = 400
RNG = np.random.default_rng(1)
LABEL = RNG.integers(0, 2, ROWS)
YEAR, DAY = 365 * 86_400, 86_400
BEGIN = 1_500_000_000
ORDERED = BEGIN + RNG.integers(0, 3 * YEAR, ROWS)


def added(columns):
    """Return what is added to the treatments of each column, and the doubts."""
    arrays = {n: own if isinstance(own, pa.Array) else pa.array(own) for n, own in columns.items()}
    values = {name: ColumnValues(name, own) for name, own in arrays.items()}
    before = tuple(choose(typed(each, whole=True), LABEL) for each in values.values())
    after = with_times(before)
    return {
        c.name: (c.treatments[len(b.treatments) :], c.doubt)
        for b, c in zip(before, after, strict=True)
    }


def texts(seconds, form="%Y-%m-%d %H:%M:%S"):
    stamps = np.asarray(seconds).astype("datetime64[s]").tolist()
    return [stamp.strftime(form) for stamp in stamps]


@pytest.mark.parametrize(
    ("values", "periods"),
    [
        (texts(ORDERED), "day, week, year"),
        (ORDERED, "day, week, year"),
        (pa.array(ORDERED * 1_000_000).cast(pa.timestamp("us")), "day, week, year"),
        (texts(ORDERED, "%d.%m.%Y"), "week, year"),
        (BEGIN + ORDERED % (20 * DAY), "day, week"),
        (BEGIN + ORDERED % (3 * DAY), "day"),
    ],
    ids=["texts", "numbers", "stamps", "dates", "weeks", "days"],
)
def test_periods_that_recur_are_cyclic(values, periods):
    (found,) = added({"ordered_at": values}).values()
    assert found == ((f"cyclic: {{periods: [{periods}]}}",), "")


def test_a_time_is_measured_from_the_nearest_one_before_it():
    paid = ORDERED + RNG.integers(0, 2 * DAY, ROWS)
    sent = ORDERED + RNG.integers(4 * DAY, 9 * DAY, ROWS)
    missing = [None if i % 7 == 0 else t for i, t in enumerate(texts(paid))]
    columns = {"ordered at": texts(ORDERED), "paid": missing, "sent_at": sent}
    found = added({**columns, "x": RNG.normal(size=ROWS)})
    of_paid = 'elapsed: {since_column: "ordered at", unit: hours, log1p: true}'
    of_sent = 'elapsed: {since_column: "paid", unit: days, log1p: true}'
    assert found["paid"][0][1:] == (of_paid,)
    assert "is it known when a request comes" in found["paid"][1]
    assert found["sent_at"][0][1:] == (of_sent,)
    assert len(found["ordered at"][0]) == 1
    assert found["x"][0] == ()


def test_times_in_any_order_are_not_measured_from_each_other():
    other = BEGIN + RNG.integers(0, 3 * YEAR, ROWS)
    found = added({"ordered_at": ORDERED, "seen_at": other, "empty_at": pa.nulls(ROWS, pa.int64())})
    assert [len(own) for own, _ in found.values()] == [1, 1, 0]
