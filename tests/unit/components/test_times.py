"""Calendar arithmetic and times as text, compared with Python's datetime."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.calendar import (
    DAY,
    date_of,
    day_of_year_of,
    days_of,
    read_time,
    week_of,
    weekday_of,
)
from components.raw_values import requested, requested_batch
from components.times import format_of, of_arrow_times, read_texts, write_texts
from schemas.columns import LARGEST_INTEGER
from tests.columns import column_of

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d. %B %Y, %I:%M %p",
    "%y%m%d",
    "%Y %j",
    "%b %Y",
)
TIMES = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
TEXTS = st.one_of(
    st.text(alphabet="0123456789-:.T Z+%JanFebAPMampm/\n", max_size=30),
    st.from_regex(r"\A[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{2}:[0-9]{2}\Z"),
)


def micros(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(st.dates(min_value=date(1600, 1, 1)))
def test_dates_are_those_of_python(day):
    days = (day - date(1970, 1, 1)).days
    assert days_of(day.year, day.month, day.day) == days
    assert date_of(days) == (day.year, day.month, day.day)
    assert weekday_of(days) == day.isoweekday()
    assert week_of(days) == day.isocalendar()[1]
    assert day_of_year_of(days) == day.timetuple().tm_yday


def test_arrays_have_the_dates_of_single_numbers():
    days = np.arange(-100_000, 100_000, 37)
    year, month, day = date_of(days)
    assert (days_of(year, month, day) == days).all()
    assert week_of(days).tolist() == [week_of(int(each)) for each in days]


@given(TIMES, st.sampled_from(FORMATS))
def test_what_is_written_reads_as_python_reads_it(time, form):
    (text,) = write_texts(np.array([time]), format_of(form)).to_pylist()
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the next line gives it a zone
    expected = micros(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    got = read_time(text.encode(), format_of(form))
    if "%y" not in form and abs(expected) <= LARGEST_INTEGER:
        assert got == expected
    if form == FORMATS[1]:
        assert got == time


@given(st.lists(st.one_of(st.none(), TEXTS), min_size=1), st.sampled_from(FORMATS))
def test_columns_have_the_times_of_single_texts(texts, form):
    times, valid = read_texts(pa.array(texts, pa.string()), format_of(form))
    alone = [None if t is None else read_time(t.encode(), format_of(form)) for t in texts]
    inside = valid & (np.abs(times) <= LARGEST_INTEGER)
    got = [t if v else None for t, v in zip(times.tolist(), inside.tolist(), strict=True)]
    assert got == alone


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2023-02-29 00:00:00", FORMATS[0]),
        ("2024-13-01 00:00:00", FORMATS[0]),
        ("2024-00-01 00:00:00", FORMATS[0]),
        ("2024-01-00 00:00:00", FORMATS[0]),
        ("2024-01-01 24:00:00", FORMATS[0]),
        ("2024-01-01 23:60:00", FORMATS[0]),
        ("2024-01-01 23:59:60", FORMATS[0]),
        ("2024-01-01 00:00:00\n", FORMATS[0]),
        ("2024-01-01T00:00:00.0+24:00", FORMATS[1]),
        ("2024-01-01T00:00:00.0+01:60", FORMATS[1]),
        ("1. May 2024, 00:10 AM", FORMATS[2]),
        ("1. May 2024, 13:10 PM", FORMATS[2]),
        ("2023 366", FORMATS[4]),
        ("2024 0", FORMATS[4]),
    ],
)
def test_impossible_times_are_none(text, form):
    assert read_time(text.encode(), format_of(form)) is None
    assert read_texts(pa.array([text]), format_of(form))[1].tolist() == [False]


def test_times_beyond_those_of_examples_are_known_as_such():
    form = format_of(FORMATS[0])
    assert read_time(b"9999-12-31 00:00:00", form) is None
    times, valid = read_texts(pa.array(["9999-12-31 00:00:00"]), form)
    assert valid.all()
    assert times[0] > LARGEST_INTEGER


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, -1], pa.timestamp("s")), [1_000_000, -1_000_000]),
        (pa.array([1, -1], pa.timestamp("ms", "Europe/Berlin")), [1_000, -1_000]),
        (pa.array([1, -1], pa.timestamp("us", "America/New_York")), [1, -1]),
        (pa.array([1_000, -1_000], pa.timestamp("ns")), [1, -1]),
        (pa.array([1, -1], pa.date32()), [DAY, -DAY]),
        (pa.array([86_400_000, -86_400_000], pa.date64()), [DAY, -DAY]),
    ],
)
def test_a_timestamp_is_its_instant_in_utc(array, expected):
    times, beyond, fine = of_arrow_times(array)
    assert times.tolist() == expected
    assert not beyond.any()
    assert not fine.any()


def test_times_that_microseconds_cannot_hold_are_marked():
    _, beyond, fine = of_arrow_times(pa.array([2**62, 1, None], pa.timestamp("s")))
    assert (beyond.tolist(), fine.tolist()) == ([True, False, False], [False] * 3)
    _, beyond, fine = of_arrow_times(pa.array([1_001, -999], pa.timestamp("ns")))
    assert (beyond.tolist(), fine.tolist()) == ([False, False], [True, True])


def test_requests_have_times_in_their_unit_or_format():
    times = pa.array([0, None, 86_400_000_000], pa.int64())
    assert requested(times, column_of("TIME", "UNIX_DAYS")).to_pylist() == [0, None, 1]
    text = requested(times, column_of("TIME_TEXT", "%d.%m.%Y"))
    assert text.to_pylist() == ["01.01.1970", None, "02.01.1970"]


def test_requests_have_all_other_values_as_examples_hold_them():
    columns = [column_of(kind, name=kind) for kind in ("INT", "FLOAT", "BYTES", "BOOL_TEXT")]
    batch = pa.record_batch([pa.array([1]), pa.array([0.5], pa.float32()), ["a"], ["yes"]],
                            [c.name for c in columns])  # fmt: skip
    assert requested_batch(batch, columns).equals(batch)
