"""A column's type follows from its values, and only from values that a run can read so."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from components.profile.choices import choose
from components.profile.label import label_of
from components.profile.times import format_of
from components.profile.types import typed
from components.profile.values import ColumnValues


def of(values, name="x", *, whole=True, kind=None):
    return typed(ColumnValues(name, pa.array(values, kind)), whole=whole)


@pytest.mark.parametrize(
    ("texts", "nature", "kind"),
    [
        (["1", "2", "+3"], "number", "INT"),
        (["1.0", "2.0", None], "number", "INT"),
        (["1.5", "2e3", "nan"], "number", "FLOAT"),
        (["1", "2", "NA", "n/a"], "number", "INT"),
        (["0x1F", "2"], "text", "BYTES"),
        (["01234", "99501"], "text", "BYTES"),
        (["1,000", "2"], "text", "BYTES"),
        (["yes", "no", "no"], "boolean", "BYTES"),
        (["TRUE", "FALSE"], "boolean", "BYTES"),
        (["yes", "no", "maybe"], "text", "BYTES"),
        (["yes", "yes"], "text", "BYTES"),
        (["0", "1", "1"], "boolean", "INT"),
        (["2024-05-31", "2024-06-01"], "time", "BYTES"),
        (["2024-05-31", "soon"], "text", "BYTES"),
        (["Flash Cab", ""], "text", "BYTES"),
        ([None, None], "text", "BYTES"),
    ],
)
def test_types_of_texts(texts, nature, kind):
    decided = of(texts, kind=pa.string())
    assert (decided.nature, decided.kind) == (nature, kind)


@pytest.mark.parametrize(
    ("values", "kind", "domain"),
    [
        ([1.7e9 + number / 4 for number in range(50)], "BYTES", ("float_domain {}",)),
        ([20_000_000.01 + number / 100 for number in range(50)], "BYTES", ("float_domain {}",)),
        ([number / 7 for number in range(50)], "FLOAT", ()),
    ],
)
def test_numbers_that_are_equal_as_float32_keep_all_digits(values, kind, domain):
    for given in (values, list(map(str, values))):
        decided = of(given)
        assert (decided.nature, decided.kind, decided.domain) == ("number", kind, domain)
    label = label_of(of(values), None)
    assert (label.typed.kind, label.typed.domain) == ("FLOAT", ())


@pytest.mark.parametrize("encode", [False, True])
def test_texts_of_a_file_with_types_are_not_numbers(encode):
    texts = pa.array(["1", "2", "2"], pa.large_string())
    digits = ColumnValues("x", texts.dictionary_encode() if encode else texts, has_type=True)
    assert typed(digits, whole=True).kind == "BYTES"
    days = ColumnValues("x", pa.array(["2024-05-31", "2024-06-01"]), has_type=True)
    assert typed(days, whole=True).nature == "time"


@pytest.mark.parametrize(
    ("values", "arrow", "nature", "kind"),
    [
        ([1, None, 3], pa.uint8(), "number", "INT"),
        ([1.0, None, 3.0], pa.float64(), "number", "INT"),
        ([1.0, 2.0, 3.0], pa.float64(), "number", "FLOAT"),
        ([decimal.Decimal("1.50"), None], pa.decimal128(10, 2), "number", "FLOAT"),
        ([True, False, None], pa.bool_(), "boolean", "INT"),
        ([1_717_113_600_000_000, None], pa.timestamp("us"), "time", "BYTES"),
        ([datetime.date(2024, 5, 31), None], pa.date32(), "time", "BYTES"),
        ([["a", "b"], [], None], pa.list_(pa.string()), "list", "BYTES"),
        ([["a"] * 1_001], pa.list_(pa.string()), "other", "BYTES"),
        ([[1, 2], [], None], pa.large_list(pa.int32()), "list", "INT"),
        ([[0.5, 1.0], None], pa.list_(pa.float32(), 2), "list", "FLOAT"),
        ([["a"]], pa.list_(pa.list_(pa.string())).value_type, "list", "BYTES"),
        ([{"a": 1}], pa.struct([("a", pa.int64())]), "other", "BYTES"),
        ([2**60], pa.int64(), "other", "BYTES"),
        (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), "text", "BYTES"),
    ],
)
def test_types_of_typed_files(values, arrow, nature, kind):
    decided = of(values, kind=arrow)
    assert (decided.nature, decided.kind) == (nature, kind)


def test_domains_say_how_values_are_written():
    assert of(["yes", "no"]).domain == ('bool_domain { true_value: "yes" false_value: "no" }',)
    assert of(["31.05.2024 08:30"]).domain == ('time_domain { string_format: "%d.%m.%Y %H:%M" }',)
    assert of([["a", "b", "c"], None]).domain == ("value_count { min: 0 max: 6 }",)
    assert of([[0.5, 1.0], None]).domain == ("value_count { min: 2 max: 2 }",)
    assert of([[0.5, 1.0], [0.5]]).domain == ("value_count { min: 0 max: 4 }",)
    flags = of([[True, False], None])
    count = "value_count { min: 0 max: 4 }"
    assert (flags.kind, flags.domain) == ("INT", (count, "bool_domain {}"))
    dates = of([[datetime.date(2024, 5, 31)], []])
    time = 'time_domain { string_format: "%Y-%m-%d" }'
    assert (dates.kind, dates.domain[1:]) == ("BYTES", (time,))
    assert choose(dates, np.zeros(2)).treatments == ("length",)
    digits = of([[1e9 + 0.5, 1e9 + 0.25], [1e9 + 0.125, 1e9]])
    assert (digits.kind, digits.domain) == ("FLOAT", ("value_count { min: 2 max: 2 }",))


def test_numbers_of_a_fixed_length_become_a_vector():
    label = np.zeros(2)
    assert choose(of([[0.5, 1.0], [3.5, 7.0]]), label).treatments == ("vector: {size: 2}",)
    choice = choose(of([[0.5, 1.0], [3.5]]), label)
    assert (choice.treatments, choice.reason) == ((), "lists of fractions, of different lengths")


def test_whole_numbers_are_times_by_their_size_and_name():
    seconds = ["1714521600", "1717200000"]
    assert of(seconds, "pickup_time").domain == ("time_domain { integer_format: UNIX_SECONDS }",)
    assert of([f"{s}000" for s in seconds], "ts").domain == (
        "time_domain { integer_format: UNIX_MILLISECONDS }",
    )
    assert of(seconds, "account").nature == "number"
    assert of(["5", "1717200000"], "pickup_time").nature == "number"


def test_0_and_1_are_a_boolean_only_if_no_row_can_say_otherwise():
    assert of(["0", "1"], whole=False).nature == "number"
    assert of(["1", "1"]).nature == "number"


def test_a_few_strange_values_do_not_make_numbers_a_text():
    decided = of([*map(str, range(2000)), "about 5"])
    assert decided.kind == "INT"
    assert decided.doubt == (
        "values such as 'about 5' are not numbers: a run rejects their rows,"
        " 1 of those that were looked at"
    )
    assert of([*map(str, range(100)), "about 5"]).kind == "BYTES"


def test_one_fraction_makes_whole_numbers_fractions():
    for text in ("2.116", "1e+05"):
        decided = of([*map(str, range(2000)), text])
        assert (decided.kind, decided.stray, decided.doubt) == ("FLOAT", 0, "")


def test_infinite_numbers_do_not_make_numbers_a_text():
    decided = of(["1.5", "inf", "-inf", "1e39", "2.25"])
    assert (decided.kind, decided.nature, decided.stray) == ("FLOAT", "number", 3)
    assert "'inf' are not numbers" in decided.doubt or "'1e39'" in decided.doubt
    assert decided.column.missing == 3
    assert of(["inf", "red", "1.5"]).kind == "BYTES"


def test_a_few_strange_values_do_not_make_times_a_text():
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    decided = of(["2024-02-30", *days, "1706745600"])
    assert (decided.nature, decided.form, decided.stray) == ("time", "%Y-%m-%d", 2)
    assert decided.doubt.startswith("values such as '2024-02-30' are not times as %Y-%m-%d:")
    assert decided.column.missing == 2
    assert of(["2024-02-30", *days[:20], "1706745600"]).nature == "text"


def test_words_for_missing_are_known_by_the_column():
    assert of(["1", "none", "2", "-"]).nulls == ("none", "-")
    assert of(["red", "none", "-"]).nulls == ()
    assert of(["red", "?", "NULL"]).nulls == ("?", "NULL")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2024-05-31T17:00:00Z", "%Y-%m-%dT%H:%M:%SZ"),
        ("2024-05-31 17:00:00.25", "%Y-%m-%d %H:%M:%S.%f"),
        ("05/31/2024 05:00:00 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("31/05/2024", "%d/%m/%Y"),
        ("20240531", "%Y%m%d"),
    ],
)
def test_formats_of_times(text, first):
    assert format_of([text])[0] == first


def test_texts_of_two_formats_have_none():
    assert format_of(["2024-05-31", "31.05.2024"]) == ()
    assert format_of(["12345678"]) == ()
    assert format_of([]) == ()
