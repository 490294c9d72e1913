"""Treatments of times, compared with Python's datetime and zoneinfo."""

import math
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.calendar import DAY, HOUR, MINUTE, SECOND
from components.transform.treatments import cyclic, date_parts, elapsed
from schemas.treatments.date_parts import FIRST_YEAR, SIZES

pytestmark = pytest.mark.component

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EXPECTED = {
    "year": lambda t: t.year - FIRST_YEAR + 1,
    "iso_year": lambda t: t.isocalendar()[0] - FIRST_YEAR + 1,
    "quarter": lambda t: (t.month + 2) // 3,
    "month": lambda t: t.month,
    "week": lambda t: t.isocalendar()[1],
    "day_of_year": lambda t: t.timetuple().tm_yday,
    "day": lambda t: t.day,
    "weekday": lambda t: t.isoweekday(),
    "hour": lambda t: t.hour + 1,
    "minute": lambda t: t.minute + 1,
    "second": lambda t: t.second + 1,
    "is_weekend": lambda t: 1 + (t.isoweekday() > 5),
    "is_month_start": lambda t: 1 + (t.day == 1),
    "is_month_end": lambda t: 1 + ((t + timedelta(days=1)).day == 1),
}
EDGES = [
    *(DAY * day for day in (0, -1, 11_016, 11_017, 18_627, 18_628, 19_782, -25_509, 20_088)),
    *(-1, 1, 999_999, 86_399_999_999, 2**53, -(2**53), 1_709_213_399_000_000, None),
]
ZONES = {
    "chicago": "America/Chicago",
    "lord_howe": "Australia/Lord_Howe",  # by half an hour, in the other half of the year
    "dublin": "Europe/Dublin",  # whose winter time is the daylight saving one
    "fixed": "Etc/GMT+5",
}
HOLIDAYS = [
    ["2024-07-04", "Independence"],
    ["2024-12-25", "Christmas"],
    ["2025-12-25", "Christmas"],
]


def changes():
    """Return times around changes of clocks from 1900 to 2100, and every five hours of two days."""
    around = [
        datetime(*date, tzinfo=timezone.utc)
        for date in (
            *((1918, 3, 31), (1918, 10, 27), (1945, 8, 14), (2007, 3, 11), (2007, 11, 4)),
            *((2024, 3, 10), (2024, 11, 3), (2024, 4, 6), (2024, 10, 5), (2024, 3, 31)),
            *((2024, 10, 27), (2037, 11, 1), (2038, 3, 14), (2099, 11, 1), (2100, 3, 14)),
            *((1900, 1, 1), (2024, 7, 4), (2024, 12, 25), (2025, 12, 24)),
        )
    ]
    steps = [timedelta(minutes=30 * n, microseconds=m) for n in range(60) for m in (-1, 0)]
    return [(t + step - EPOCH) // timedelta(microseconds=1) for t in around for step in steps]


TIMES = [*EDGES, *changes()]
BEFORE = [None if t is None else -t for t in TIMES[1:]] + [0]


@pytest.fixture(scope="module")
def transformed(run):
    every = {"date_parts": {"parts": list(SIZES), "holidays": HOLIDAYS}}
    periods = ["hour", "day", "week", "month", "year"]
    on = [None] * (len(TIMES) - 2) + [0, 2 * DAY]
    elapsed = [
        {"elapsed": {"since": "2014-01-01"}},
        {"elapsed": {"since": "2014-01-01", "unit": "hours", "log1p": True}},
        {"elapsed": {"since": "2014-01-01", "unit": "weeks", "standardize": False}},
    ]
    features = {
        "at": [
            every,
            {"cyclic": {"periods": periods}},
            elapsed[0],
            {"elapsed": {"since_column": "before", "standardize": False, "unit": "seconds"}},
        ],
        "on": ["date_parts", "z_score", {"quantile_buckets": {"buckets": 2}}, elapsed[2]],
        "empty": [{"date_parts": {"zone": "America/Chicago"}}, "cyclic", elapsed[0]],
        **{
            name: [
                {"date_parts": {**every["date_parts"], "zone": zone}},
                {"cyclic": {"periods": periods, "zone": zone}},
                elapsed[1],
            ]
            for name, zone in ZONES.items()
        },
    }
    columns = {
        "before": BEFORE,
        "at": TIMES,
        "on": on,
        "empty": [None] * len(TIMES),
        **dict.fromkeys(ZONES, TIMES),
    }
    kinds = {name: "TIME_TEXT" if name == "at" else "TIME" for name in columns}
    return run(kinds, features, {"train": columns}, batch_rows=4_000)


@pytest.fixture(scope="module")
def train(transformed):
    return transformed.split("train")


def clocks(zone):
    """Return what the clocks show at each time; None where it is missing."""
    known = [None if t is None else EPOCH + timedelta(microseconds=t) for t in TIMES]
    return [None if t is None else t.astimezone(zone) for t in known]


@pytest.mark.parametrize("name", ["at", *ZONES])
def test_every_part_is_numbered_from_1_and_missing_is_0(transformed, train, name):
    shown = clocks(ZoneInfo(ZONES.get(name, "UTC")))
    for part, number in EXPECTED.items():
        expected = [0 if t is None else number(t) for t in shown]
        assert train[f"{name}_{part}"] == expected, part
        (feature,) = (f for f in transformed.layout.features if f.name == f"{name}_{part}")
        assert (feature.role, feature.size) == ("embedding", SIZES[part] + 1)
    names = dict(HOLIDAYS)
    numbers = {None: 1, "Christmas": 2, "Independence": 3}
    expected = [0 if t is None else numbers[names.get(str(t.date()))] for t in shown]
    assert train[f"{name}_holiday"] == expected
    assert len(set(expected)) == 4


@pytest.mark.parametrize("name", ["at", *ZONES])
def test_a_cyclic_time_is_a_point_on_the_circle(train, name):
    def shares(t):
        of_day = (t.hour * HOUR + t.minute * MINUTE + t.second * SECOND + t.microsecond) / DAY
        month = (t.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        year = 365 + (t.year % 4 == 0 and (t.year % 100 != 0 or t.year % 400 == 0))
        return {
            "hour": of_day * 24 % 1,
            "day": of_day,
            "week": (t.weekday() + of_day) / 7,
            "month": (t.day - 1 + of_day) / month.day,
            "year": (t.timetuple().tm_yday - 1 + of_day) / year,
        }

    expected = [t and shares(t) for t in clocks(ZoneInfo(ZONES.get(name, "UTC")))]
    for period in ("hour", "day", "week", "month", "year"):
        for function in (math.sin, math.cos):
            values = [0.0 if e is None else function(2 * math.pi * e[period]) for e in expected]
            got = train[f"{name}_cyclic_{period}_{function.__name__}"]
            np.testing.assert_allclose(got, values, atol=1e-7, err_msg=period)


def test_elapsed_time_is_exact_and_scaled_as_wanted(train):
    start = (datetime(2014, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)
    days = np.array([np.nan if t is None else (t - start) / DAY for t in TIMES])

    def scaled(values):
        return np.nan_to_num((values - np.nanmean(values)) / np.nanstd(values))

    np.testing.assert_allclose(train["at_elapsed"], scaled(days), rtol=1e-5, atol=1e-6)
    tamed = np.sign(days) * np.log1p(np.abs(days * 24))
    np.testing.assert_allclose(train["chicago_elapsed"], scaled(tamed), rtol=1e-5, atol=1e-6)
    assert train["at_elapsed_missing"] == [float(t is None) for t in TIMES]
    missing = [t is None or b is None for t, b in zip(TIMES, BEFORE, strict=True)]
    seconds = [0 if m else (t - b) / SECOND for t, b, m in zip(TIMES, BEFORE, missing, strict=True)]
    assert train["at_since_before"] == np.float32(seconds).tolist()
    assert train["at_since_before_missing"] == missing
    weeks = np.float32([-16_071 / 7, -16_069 / 7])
    assert train["on_elapsed"][-2:] == weeks.tolist()


def test_a_graph_that_is_loaded_again_gives_the_same_in_other_batches(transformed, train):
    graph = tft.TFTransformOutput(str(transformed.graph)).transform_features_layer()
    least = np.iinfo(np.int64).min
    rows = tf.constant([least if t is None else t for t in TIMES], tf.int64)
    missing = tf.fill([len(TIMES)], tf.constant(least, tf.int64))
    for first in (0, 5, 700):
        part = slice(first, first + 301)
        inputs = dict.fromkeys(("at", *ZONES), rows[part])
        before = [least if t is None else t for t in BEFORE[part]]
        inputs["before"] = tf.constant(before, tf.int64)
        inputs |= dict.fromkeys(("on", "empty"), missing[part])
        inputs |= {name: tf.ones_like(rows[part], tf.float32) for name in ("tips", "of")}
        for name, values in graph(inputs).items():
            if not name.startswith(("on_", "big")):
                np.testing.assert_array_equal(values.numpy(), train[name][part], err_msg=name)


def test_an_empty_column_has_no_parts_and_other_treatments_take_times(train):
    assert [name for name in train if name.startswith("on_")] == sorted(
        f"on_{name}" for name in
        ("month", "day", "weekday", "hour", "z_score", "missing", "bucket", "elapsed",
         "elapsed_missing")
    )  # fmt: skip
    assert train["on_day"][-2:] == [1, 3]
    assert train["on_z_score"][-2:] == [-1.0, 1.0]
    assert train["on_bucket"][-2:] == [1, 2]
    flags = {"empty_elapsed_missing"}
    for name in (n for n in train if n.startswith("empty_")):
        assert set(train[name]) == {float(name in flags)}


def test_a_proof_tries_the_times_at_which_months_and_holidays_begin_and_clocks_change(transformed):
    features = transformed.layout.features
    for module, kind in ((date_parts, "date_parts"), (cyclic, "cyclic")):
        own = [f for f in features if f.treatment == kind]
        ends = set(module.boundaries(str(transformed.graph), own)["chicago"])
        assert (datetime(2024, 3, 10, 8, tzinfo=timezone.utc).timestamp() * 1e6) in ends
        assert (datetime(2024, 12, 25, tzinfo=timezone.utc).timestamp() * 1e6) in ends
    ends = set(date_parts.boundaries(str(transformed.graph), own)["at"])
    assert {0.0, 31.0 * DAY, -31.0 * DAY} <= ends
    since = elapsed.boundaries(str(transformed.graph), features)["at"]
    assert datetime(2014, 1, 1, tzinfo=timezone.utc).timestamp() * 1e6 in since
