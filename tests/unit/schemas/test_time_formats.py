"""Formats of times: which there are, and how each one that is not supported is refused."""

import re

import pytest

from components.profile.times import FORMATS
from schemas.time_formats import DIRECTIVES, TimeFormat


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("%H:%M", "has no year, which is %Y or %y"),
        ("", "has no year"),
        ("%Y %d", "a directive for the day, and none for the month"),
        ("%Y-%m-%d %M", "for the minute, and none for the hour"),
        ("%Y-%m-%d %H:%M:%f", "for the fraction, and none for the second"),
        ("%Y-%m-%d %I", "has %I without %p"),
        ("%Y-%m-%d %H %p", "for the half, and none for the hour from 1 to 12"),
        ("%Y %y", "for both year and short year"),
        ("%Y %m %b", "two directives for the month"),
        ("%Y %j %m", "for both month and day of year"),
        ("%Y %A", "has the directive '%A'; the supported ones are %Y"),
        ("%F", "write %Y-%m-%d"),
        ("%Y-%m-%d %T", "write %H:%M:%S"),
        ("%Y%", "write %%"),
    ],
)
def test_a_format_that_cannot_be_read_exactly_is_refused(text, problem):
    with pytest.raises(ValueError, match=re.escape(problem)):
        TimeFormat.of(text)


def test_every_directive_is_in_some_format():
    formats = ("%Y-%m-%dT%H:%M:%S.%f%z", "%d %b %y, %I:%M %p", "%B %Y", "%Y %j")
    used = {part for text in formats for part in TimeFormat.of(text).parts}
    assert set(DIRECTIVES.values()) <= used


@pytest.mark.parametrize(
    ("text", "fits", "others"),
    [
        ("%m/%d/%Y", ["1/5/2024", "01/05/2024"], ["1/5/24", "001/05/2024", "1/5/2024 "]),
        ("%Y%m%d", ["20240105"], ["202415", "2024-01-05"]),
        ("[%Y.%m] 5%%", ["[2024.01] 5%"], ["2024.01 5%", "[2024x01] 5%"]),
        ("%d %b %Y", ["1 JAN 2024", "01 jan 2024"], ["1 \u017fep 2024", "1 January 2024"]),
        ("%Y-%m-%d %H%z", ["2024-1-5 3Z", "2024-01-05 03+05:30"], ["2024-01-05 03 Z"]),
    ],
)
def test_digits_may_lack_zeros_only_where_they_end(text, fits, others):
    pattern = TimeFormat.of(text).pattern()
    assert all(re.fullmatch(pattern, each) for each in fits)
    assert not any(re.fullmatch(pattern, each) for each in others)


@pytest.mark.parametrize("text", FORMATS)
def test_every_format_that_a_draft_may_have_is_supported(text):
    assert TimeFormat.of(text).text == text
