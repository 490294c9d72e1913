"""The spans that exist, their versions, and which of them a run reads."""

import pytest

from components.sources.spans import chosen, existing
from schemas.errors import DataError
from schemas.spans import SpanChoice


@pytest.fixture
def place(tmp_path):
    """Make files, and return a path in their folder."""

    def make(path, *names):
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return str(tmp_path / path)

    return make


def labels(path):
    return [span.label for span in existing(path).values()]


def test_spans_are_numbers_in_their_order(place):
    path = place("day-{SPAN}/*.csv", "day-9/a.csv", "day-10/a.csv", "day-x/a.csv", "day-11/b.txt")
    found = existing(path)
    assert list(found) == [9, 10]
    assert found[10].path == path.replace("{SPAN}", "10")


def test_a_width_takes_numbers_of_so_many_digits(place):
    assert labels(place("{SPAN:2}.csv", "01.csv", "2.csv", "003.csv", "10.csv")) == ["1", "10"]


def test_of_each_span_the_newest_version_is_read(place):
    names = ("1/v1/a", "1/v10/a", "1/v9/a", "2/v1/a")
    assert labels(place("{SPAN}/v{VERSION}/*", *names)) == ["1 version 10", "2 version 1"]


def test_days_are_spans_and_what_is_no_day_is_none(place):
    names = ("2024/02-29.csv", "2023/02-29.csv", "1970/01-01.csv", "2024/2-3.csv")
    found = existing(place("{YYYY}/{MM}-{DD}.csv", *names))
    assert [(span.number, span.name) for span in found.values()] == [
        (0, "1970-01-01"),
        (19_782, "2024-02-29"),
    ]


@pytest.mark.parametrize("path", ["d/{SPAN}/**/*.csv", "*/{SPAN}/[a-c]?/*.csv", "d/{SPAN}"])
def test_other_wildcards_and_folders_stay_as_they_are(place, path):
    assert labels(place(path, "d/1/b1/a.csv", "d/2/c2/a.csv")) == ["1", "2"]


def test_two_paths_of_one_span_are_refused(place):
    with pytest.raises(DataError, match="two paths are span 1") as caught:
        existing(place("{SPAN}.csv", "1.csv", "01.csv"))
    assert "01.csv and" in str(caught.value.where)


@pytest.fixture
def found(place):
    path = place("{SPAN}.csv", *(f"{number}.csv" for number in (3, 10, 11, 13)))
    return existing(path), path


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        (SpanChoice(last=1), [13]),
        (SpanChoice(last=4), [10, 11, 13]),
        (SpanChoice(last=100), [3, 10, 11, 13]),
        (SpanChoice(first=11, final=11), [11]),
        (SpanChoice(first=10, final=13), [10, 11, 13]),
    ],
)
def test_a_choice_reads_what_exists_within_it(found, choice, read):
    assert [span.number for span in chosen(found[0], choice, found[1])] == read


@pytest.mark.parametrize(
    ("choice", "missing"),
    [
        (SpanChoice(first=17, final=17), "17 does not"),
        (SpanChoice(first=9, final=14), "9 and 14 do not"),
        (SpanChoice(first=12, final=13), "12 does not"),
    ],
)
def test_spans_that_do_not_exist_are_named_with_those_that_do(found, choice, missing):
    with pytest.raises(DataError) as caught:
        chosen(found[0], choice, found[1])
    assert caught.value.what == f"spans 3, 10 to 11 and 13 exist; {missing}"


def test_a_source_without_any_span_is_named(place):
    path = place("{YYYY}{MM}{DD}.csv")
    with pytest.raises(DataError, match="no file matches") as caught:
        chosen(existing(path), SpanChoice(last=1), path)
    assert caught.value.expected == "at least one file, with a date in its path"
