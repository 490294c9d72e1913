"""Any rows of booleans and times become what numpy and the calendar say, on both signatures."""

import datetime
import math
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.calendar import DAY, SECOND
from components.encoded_examples import as_tf_examples
from components.examples import arrow_schema, as_raw_columns, iter_batches, objects
from components.export import signatures as names
from components.export.terms import read_terms
from schemas.treatments.date_parts import SIZES

pytestmark = pytest.mark.component

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FIRST, LAST = -104_000 * DAY, 104_000 * DAY  # within 2**53 microseconds of 1970
TIMES = {"ordered at": SECOND, "day": DAY, "stamp": 1, "seconds": SECOND, "days": DAY}
SCALED = ("ordered at", "stamp", "seconds", "flag")


def times(unit):
    return st.none() | st.integers(FIRST // unit, LAST // unit).map(lambda ticks: ticks * unit)


ROWS = st.fixed_dictionaries(
    {
        **{name: times(unit) for name, unit in TIMES.items()},
        "flag": st.sampled_from([None, 0, 1]),
        "member": st.sampled_from([None, "yes", "no"]),
    }
)


@pytest.fixture(scope="module")
def model(timed):
    """The export in the C++ loader."""
    from components.parity.c_api import SavedModel

    with SavedModel(timed.saved_model) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def scales(timed):
    """Mean and standard deviation of the training rows, by column."""
    train = pa.Table.from_batches(iter_batches(timed.examples, "train"))
    known = {name: train[name].drop_null().to_numpy().astype(np.float64) for name in SCALED}
    return {name: (values.mean(), values.std()) for name, values in known.items()}


def parts_of(time):
    """Return the number of each part of a time, from 1."""
    if time is None:
        return dict.fromkeys(SIZES, 0)
    at = EPOCH + datetime.timedelta(microseconds=time)
    _, week, weekday = at.isocalendar()
    return {
        "month": at.month,
        "day": at.day,
        "weekday": weekday,
        "hour": at.hour + 1,
        "minute": at.minute + 1,
        "second": at.second + 1,
        "quarter": (at.month + 2) // 3,
        "week": week,
        "day_of_year": at.timetuple().tm_yday,
    }


def sine_of_day(time):
    if time is None:
        return 0.0
    at = (EPOCH + datetime.timedelta(microseconds=time)).astimezone(ZoneInfo("America/Chicago"))
    seconds = (at.hour * 60 + at.minute) * 60 + at.second + at.microsecond / SECOND
    return math.sin(2 * math.pi * seconds / 86_400)


@given(st.lists(ROWS, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_rows_become_what_numpy_says(model, timed, scales, rows):
    serving = names.serving_columns(timed.columns, timed.layout)
    batch = pa.RecordBatch.from_pylist(rows, arrow_schema(serving))
    examples = objects(as_tf_examples(batch, serving))
    features = model.run(names.TRANSFORM_FEATURES, {"examples": examples})

    terms = read_terms(timed.transform_graph, timed.layout)
    for feature in timed.layout.features:
        name = feature.columns[0]
        kind, got = feature.name.removeprefix(f"{name}_"), features[feature.name].tolist()
        values = [row[name] for row in rows]
        if kind in SIZES:
            assert got == [parts_of(value)[kind] for value in values]
        elif kind == "cyclic_day_sin":
            np.testing.assert_allclose(got, [sine_of_day(value) for value in values], atol=1e-7)
        elif kind == "missing":
            assert got == [float(value is None) for value in values]
        elif kind == "z_score":
            mean, deviation = scales[name]
            expected = [0.0 if v is None else (v - mean) / deviation for v in values]
            np.testing.assert_allclose(got, np.clip(expected, -10, 10), rtol=1e-5, atol=1e-6)
        elif kind == "id":
            known = terms[name]
            expected = [0 if v is None else known.index(str(v)) + 1 for v in values]
            assert got == expected

    of_examples = model.run(names.SERVING_DEFAULT, {"examples": examples})["scores"]
    of_columns = model.run(names.RAW_COLUMNS, as_raw_columns(batch, serving))["scores"]
    np.testing.assert_allclose(of_columns, of_examples, rtol=1e-6)
