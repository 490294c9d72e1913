"""The parts of times, compared with Python's datetime."""

from datetime import datetime, timedelta, timezone

import pytest

from components.calendar import DAY
from components.transform.treatments.date_parts import boundaries
from schemas.layout import TransformedFeature
from schemas.treatments.date_parts import SIZES

pytestmark = pytest.mark.component

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EXPECTED = {
    "month": lambda t: t.month,
    "day": lambda t: t.day,
    "weekday": lambda t: t.isoweekday(),
    "hour": lambda t: t.hour + 1,
    "minute": lambda t: t.minute + 1,
    "second": lambda t: t.second + 1,
    "quarter": lambda t: (t.month + 2) // 3,
    "week": lambda t: t.isocalendar()[1],
    "day_of_year": lambda t: t.timetuple().tm_yday,
}
TIMES = [
    *(DAY * day for day in (0, -1, 11_016, 11_017, 18_627, 18_628, 19_782, -25_509, 20_088)),
    *(-1, 1, 999_999, 86_399_999_999, 2**53, -(2**53), 1_709_213_399_000_000, None),
]


def test_every_part_is_numbered_from_1_and_missing_is_0(run):
    features = {
        "at": {"date_parts": {"parts": list(SIZES)}},
        "on": ["date_parts", "z_score", {"quantile_buckets": {"buckets": 2}}],
    }
    rows = {"at": TIMES, "on": [None] * (len(TIMES) - 2) + [0, 2 * DAY]}
    got = run({"at": "TIME_TEXT", "on": "TIME"}, features, {"train": rows})

    train = got.split("train")
    for part, number in EXPECTED.items():
        expected = [0 if t is None else number(EPOCH + timedelta(microseconds=t)) for t in TIMES]
        assert train[f"at_{part}"] == expected
        (feature,) = (f for f in got.layout.features if f.name == f"at_{part}")
        assert (feature.role, feature.size) == ("embedding", SIZES[part] + 1)
    assert [name for name in train if name.startswith("on_")] == sorted(
        f"on_{name}" for name in
        ("month", "day", "weekday", "hour", "z_score", "missing", "bucket")
    )  # fmt: skip
    assert train["on_day"][-2:] == [1, 3]
    assert train["on_z_score"][-2:] == [-1.0, 1.0]
    assert train["on_bucket"][-2:] == [1, 2]


def test_a_proof_tries_the_times_at_which_months_begin():
    feature = TransformedFeature(
        name="at_day", columns=("at",), treatment="date_parts", role="embedding", size=32
    )
    ends = boundaries("", [feature])["at"]
    assert {0.0, 31.0 * DAY, -31.0 * DAY} <= set(ends)
