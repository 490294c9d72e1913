"""Lists of a source: which are accepted, which are rejected, and for which reason."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources import lists
from components.sources.protocol import Selection, open_reader
from components.sources.rejects import RejectReason
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources import plain

TAGS = Column("tags", "BYTES", serving=True, most=3)
DAYS = Column("days", "INT", serving=True, most=3)
PRICES = Column("prices", "FLOAT", serving=True, most=3)
FLAGS = Column("flags", "BOOL", serving=True, most=3)
ANSWERS = Column("answers", "BOOL_TEXT", serving=True, form=("yes", "no"), most=3)
OPENED = Column("opened", "TIME", serving=True, form=("UNIX_DAYS",), most=3)
VISITS = Column("visits", "TIME_TEXT", serving=True, form=("%d.%m.%Y",), most=3)
DAY = 86_400_000_000


def shown(cells):
    assert cells is not None
    return list(zip(cells.values.to_pylist(), map(RejectReason, cells.reasons), strict=True))


def accepted(value):
    return value, RejectReason.FITS


def rejected(reason):
    return None, reason


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (TAGS, None, accepted(None)),
        (TAGS, [], accepted([])),
        (TAGS, ["b", "a", "b"], accepted(["b", "a", "b"])),
        (TAGS, ["a", None], rejected(RejectReason.MISSING_IN_LIST)),
        (TAGS, ["a", ""], rejected(RejectReason.MISSING_IN_LIST)),
        (TAGS, ["a", "\0"], rejected(RejectReason.CONTAINS_NUL)),
        (TAGS, ["a", 5], rejected(RejectReason.NOT_TEXT)),
        (TAGS, ["a", ["b"]], rejected(RejectReason.NOT_TEXT)),
        (TAGS, ["a"] * 4, rejected(RejectReason.LIST_TOO_LONG)),
        (TAGS, "a", rejected(RejectReason.NOT_A_LIST)),
        (TAGS, {}, rejected(RejectReason.NOT_A_LIST)),
        (DAYS, [1, 2.0], accepted([1, 2])),
        (DAYS, [1, 2.5], rejected(RejectReason.NOT_AN_INTEGER)),
        (DAYS, [2**53 + 1, 2.5], rejected(RejectReason.INTEGER_BEYOND_2_53)),
        (DAYS, [2.5, 2**53 + 1], rejected(RejectReason.NOT_AN_INTEGER)),
        (DAYS, [None], rejected(RejectReason.MISSING_IN_LIST)),
        (DAYS, 5, rejected(RejectReason.NOT_A_LIST)),
        (PRICES, [1, 0.5], accepted([1.0, 0.5])),
        (PRICES, [1e39], rejected(RejectReason.NOT_FINITE)),
        (FLAGS, [True, 0, False], accepted([1, 0, 0])),
        (FLAGS, [True, 2], rejected(RejectReason.NOT_A_BOOLEAN)),
        (FLAGS, [True, None], rejected(RejectReason.MISSING_IN_LIST)),
        (ANSWERS, [True, "no"], accepted(["yes", "no"])),
        (ANSWERS, ["yes", "maybe"], rejected(RejectReason.NOT_A_BOOLEAN)),
        (OPENED, [2, 0], accepted([2 * DAY, 0])),
        (OPENED, [2, 2**40], rejected(RejectReason.TIME_BEYOND_RANGE)),
        (VISITS, ["03.01.1970", "01.01.1970"], accepted([2 * DAY, 0])),
        (VISITS, ["03.01.1970", "31.02.1970"], rejected(RejectReason.NOT_A_TIME)),
        (VISITS, ["03.01.1970", 5], rejected(RejectReason.NOT_A_TIME)),
    ],
)
def test_a_list_in_json(column, value, expected):
    assert shown(lists.of_json([value], column)) == [expected]
    # its neighbours do not matter
    among = lists.of_json([[None], value, None, [], 7], column)
    assert shown(among)[1] == expected
    assert among.values.type == pa.list_(pa.type_for_alias(column.type.arrow))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, accepted(None)),
        ("[]", accepted([])),
        ("a", accepted(["a"])),
        ("b|a|b", accepted(["b", "a", "b"])),
        (" b | a", accepted(["b", "a"])),
        ("a||b", rejected(RejectReason.MISSING_IN_LIST)),
        ("a|", rejected(RejectReason.MISSING_IN_LIST)),
        ("a|?", rejected(RejectReason.MISSING_IN_LIST)),
        ("a|b\0", rejected(RejectReason.CONTAINS_NUL)),
        ("a|b|c|d", rejected(RejectReason.LIST_TOO_LONG)),
        ("a|[]", accepted(["a", "[]"])),
    ],
)
def test_a_list_in_text(text, expected):
    texts = pa.array(["?|x", text, "[]", None], pa.string())
    cells = lists.of_text(texts, TAGS, "|", ["", "?"], trim=True)
    assert shown(cells)[1] == expected


def test_numbers_in_text():
    cells = lists.of_text(pa.array(["1; 2.0", "1;x"]), DAYS, ";", [""], trim=True)
    assert shown(cells) == [accepted([1, 2]), rejected(RejectReason.NOT_AN_INTEGER)]


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (FLAGS, "1|0", accepted([1, 0])),
        (FLAGS, "1|2", rejected(RejectReason.NOT_A_BOOLEAN)),
        (ANSWERS, "no|yes", accepted(["no", "yes"])),
        (VISITS, "03.01.1970|01.01.1970", accepted([2 * DAY, 0])),
        (VISITS, "03.01.1970|1970", rejected(RejectReason.NOT_A_TIME)),
    ],
)
def test_booleans_and_times_in_text(column, text, expected):
    assert shown(lists.of_text(pa.array([text]), column, "|", [""], trim=True)) == [expected]


def test_booleans_and_times_of_a_parquet_file():
    flags = pa.array([[True, False], None, [None]])
    lost = rejected(RejectReason.MISSING_IN_LIST)
    assert shown(lists.of_arrow(flags, FLAGS)) == [accepted([1, 0]), accepted(None), lost]
    assert shown(lists.of_arrow(flags, ANSWERS))[0] == accepted(["yes", "no"])
    days = pa.array([[2, 0], []], pa.list_(pa.date32()))
    assert shown(lists.of_arrow(days, VISITS)) == [accepted([2 * DAY, 0]), accepted([])]
    stamps = pa.array([[1_500]], pa.list_(pa.timestamp("ms", "UTC")))
    times = Column("times", "TIME", serving=True, form=("UNIX_MICROSECONDS",), most=3)
    assert shown(lists.of_arrow(stamps, times)) == [accepted([1_500_000])]


_VALUES = [["a", "b"], None, [], ["c"], ["a", None], ["d"] * 4]
_EXPECTED = [
    accepted(["a", "b"]),
    accepted(None),
    accepted([]),
    accepted(["c"]),
    rejected(RejectReason.MISSING_IN_LIST),
    rejected(RejectReason.LIST_TOO_LONG),
]


def of_dictionaries():
    plain = pa.array(_VALUES, pa.list_(pa.string()))
    ends = np.cumsum([0, *(len(v or ()) for v in _VALUES)]).astype(np.int32)
    offsets = pa.array(ends, mask=np.array([*(v is None for v in _VALUES), False]))
    return pa.ListArray.from_arrays(offsets, plain.flatten().dictionary_encode())


@pytest.mark.parametrize(
    "array",
    [
        pa.array(_VALUES, pa.list_(pa.string())),
        pa.array(_VALUES, pa.large_list(pa.large_string())),
        pa.array(_VALUES, pa.list_(pa.binary())),
        of_dictionaries(),
    ],
    ids=lambda array: str(array.type),
)
def test_lists_of_a_parquet_file(array):
    assert lists.fits(array.type, TAGS)
    assert shown(lists.of_arrow(array, TAGS)) == _EXPECTED
    assert shown(lists.of_arrow(array.slice(1, 4), TAGS)) == _EXPECTED[1:5]


def test_lists_of_a_fixed_size():
    array = pa.array([[1, 2], None, [3, None]], pa.list_(pa.int32(), 2))
    expected = [accepted([1, 2]), accepted(None), rejected(RejectReason.MISSING_IN_LIST)]
    assert shown(lists.of_arrow(array, DAYS)) == expected
    assert shown(lists.of_arrow(array.slice(1), DAYS)) == expected[1:]


def test_a_file_of_nothing_has_missing_lists():
    cells = lists.of_arrow(pa.nulls(2), TAGS)
    assert cells is not None
    assert cells.values.equals(pa.array([None, None], pa.list_(pa.string())))


@pytest.mark.parametrize(
    "arrow",
    [pa.string(), pa.list_(pa.list_(pa.string())), pa.list_(pa.int64()), pa.struct([])],
)
def test_other_types_do_not_fit(arrow):
    assert not lists.fits(arrow, TAGS)
    assert lists.of_arrow(pa.array([], arrow), TAGS) is None


def test_lines_of_json(tmp_path):
    path = tmp_path / "rows.jsonl"
    values = ['["a", "b"]', "[]", "null", '["a", null]', '"a"', '["a", ["b"]]', '["?"]']
    path.write_text("".join(f'{{"tags": {value}}}\n' for value in values) + "{}\n")
    options = plain(str(path)).model_copy(update={"null_values": ("", "?")})
    reader = open_reader(options, Selection((TAGS,)))

    ((block,),) = [list(reader.read(part)) for part in reader.parts(str(path))]

    assert block.columns.column(0).to_pylist() == [["a", "b"], [], None, None]
    assert block.places.tolist() == [1, 2, 3, 8]
    assert [(r.line, r.value, r.reason.code) for r in block.rejects] == [
        (4, '["a", null]', "missing_in_list"),
        (5, "a", "not_a_list"),
        (6, '["a", ["b"]]', "not_text"),
        (7, '["?"]', "missing_in_list"),
    ]


@given(
    st.lists(st.none() | st.lists(st.sampled_from(["a", "b|", "ä", ""]) | st.none(), max_size=5))
)
def test_a_row_is_whole_or_rejected(values):
    cells = lists.of_json(values, TAGS)
    for given_value, (value, reason) in zip(values, shown(cells), strict=True):
        fits = given_value is None or (
            len(given_value) <= TAGS.most and not {None, ""} & set(given_value)
        )
        assert (reason is RejectReason.FITS) == fits
        assert value == (given_value if fits else None)


@pytest.mark.parametrize(
    ("array", "column", "said"),
    [
        (pa.array(["a"]), TAGS, "remove the value_count of 'tags' from schema.pbtxt"),
        (pa.array([[1]]), TAGS, "write a list for each row, of text"),
        (pa.array([["a"]]), Column("tags", "BYTES", True), "write value_count { max: … }"),
    ],
)
def test_a_file_of_another_type_is_refused_with_the_remedy(array, column, said, tmp_path):
    path = str(tmp_path / "rows.parquet")
    pq.write_table(pa.table({"tags": array}), path)
    reader = open_reader(plain(path), Selection((column,)))
    with pytest.raises(DataError) as refused:
        reader.parts(path)
    assert "the column 'tags' is" in refused.value.what
    assert said in (refused.value.remedy or "")
