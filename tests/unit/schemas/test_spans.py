"""Placeholders of spans in paths, the choice of spans, and the errors for wrong ones."""

import pytest

from components.ingest.splits.protocol import open_splitter
from schemas import catalog, spans
from schemas.errors import ConfigError
from schemas.spans import SpanChoice, parse_choice
from schemas.splits.hash import Hash
from schemas.splits.stratified import Stratified
from schemas.splits.time import Time


def source(folder, text):
    folder.change("  path: data.csv", f"  path: {text}")
    return catalog.load(str(folder)).spec.source


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("{SPN}.csv", "unknown placeholder '{SPN}'; did you mean 'SPAN'?"),
        ("{SPAN}/{SPAN}.csv", "{SPAN} may be in a path only once"),
        ("{SPAN}/{YYYY}{MM}{DD}.csv", "a path has {SPAN} or a date, not both"),
        ("{YYYY}/{DD}.csv", "a date also needs {MM}"),
        ("{YYYY:4}{MM}{DD}.csv", "'{YYYY:4}' has a width, but a date has its own: {YYYY}"),
        ("v{VERSION}.csv", "{VERSION} needs {SPAN} or {YYYY}{MM}{DD} beside it"),
        ("{SPAN}{VERSION}.csv", "'{VERSION}' follows SPAN; give that a width: {SPAN:2}"),
    ],
)
def test_wrong_placeholders_are_named_with_their_line(folder, path, problem):
    with pytest.raises(ConfigError) as caught:
        source(folder, f"'{path}'")
    assert caught.value.what == f"pipeline.yaml:2: source: {problem}"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("data.csv\n  spans: last 7", "spans needs {SPAN} or {YYYY}{MM}{DD} in path"),
        ("['{SPAN}.csv', b.csv]", "a path with spans has to be the only one"),
        (
            "'{SPAN}.csv'\n  spans: last week",
            "expected spans such as last 7, 12 or 10..16, got 'last week'",
        ),
        (
            "'{YYYY}{MM}{DD}.csv'\n  spans: 12",
            "expected spans such as last 7, 2026-11-30 or 2026-11-24..2026-11-30, got '12'",
        ),
        ("'{SPAN}.csv'\n  spans: 16..10", "the first span is after the last one in '16..10'"),
    ],
)
def test_wrong_choices_of_spans_are_refused(folder, lines, problem):
    with pytest.raises(ConfigError) as caught:
        source(folder, lines)
    assert caught.value.what == f"pipeline.yaml:2: source: {problem}"


@pytest.mark.parametrize("text", ["12", "2026-11-30"])
def test_numbers_and_dates_of_yaml_are_texts(folder, text):
    path = "{YYYY}-{MM}-{DD}.csv" if "-" in text else "{SPAN}.csv"
    assert source(folder, f"'{path}'\n  spans: {text}").spans == text


def test_a_choice_is_a_span_a_range_or_the_last_ones():
    assert parse_choice(" 12 ", dated=False) == SpanChoice(first=12, final=12)
    assert parse_choice("10 .. 16", dated=False) == SpanChoice(first=10, final=16)
    assert parse_choice("last 7", dated=True) == SpanChoice(last=7)
    assert parse_choice("1970-01-02", dated=True) == SpanChoice(first=1, final=1)


@pytest.mark.parametrize("text", ["", "last 0", "last", "-1", "1..", "..", "1.5", "٣"])
def test_other_texts_are_not_choices(text):
    with pytest.raises(ValueError, match="expected spans such as"):
        parse_choice(text, dated=False)


@pytest.mark.parametrize("text", ["2026-02-30", "20261130", "2026-11-30..12"])
def test_what_is_not_a_date_is_not_a_choice_of_days(text):
    with pytest.raises(ValueError, match="expected spans such as"):
        parse_choice(text, dated=True)


def test_consecutive_spans_are_said_as_ranges():
    assert spans.in_words([7, 1, 2, 3, 9], dated=False) == "1 to 3, 7 and 9"
    assert spans.in_words([0, 1], dated=True) == "1970-01-01 to 1970-01-02"


SPLITS = [
    Hash(key=("n",)),
    Stratified(strata=("n",), key=("n",)),
    Time(column="n"),
    Time(column="n", eval_from="5", test_from="9"),
    Time(column="n", eval_from="5", test_from="9", folds=3),
]


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.in_words())
def test_a_split_says_whether_its_splitter_looks_at_all_rows(split):
    assert split.looks_ahead == bool(open_splitter(split).looks_at)


def test_rules_that_look_at_all_rows_are_refused_with_spans(folder):
    folder.change("label:", "prepare:\n  drop_duplicates: {key: [hour]}\nlabel:")
    catalog.load(str(folder))
    with pytest.raises(ConfigError, match=r"prepare depends on all rows \(one row of each hour"):
        source(folder, "'{SPAN}.csv'")


def test_a_split_that_looks_at_all_rows_is_refused_with_spans(folder):
    folder.change("  key: [fare, hour]", "  by: time\n  column: hour")
    catalog.load(str(folder))
    with pytest.raises(ConfigError) as caught:
        source(folder, "'{SPAN}.csv'")
    assert "in the order of hour) depend on all rows" in caught.value.what
    assert "eval_from and test_from" in str(caught.value.remedy)
