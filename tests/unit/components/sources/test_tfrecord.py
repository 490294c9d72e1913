"""TFRecords of tf.Examples → typed rows and rejects, by columns and one by one alike."""

import gzip
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources import tfrecord
from components.sources.protocol import Needs, Selection, open_reader
from components.sources.tfrecord_parse import ExampleRules
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.tfrecord import TfRecord
from tests.source_rows import read_all
from tests.tfrecord_files import example, framed

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
GOOD: list[dict[str, Any]] = [
    {"n": [1], "x": [0.5], "t": [b"a"]},
    {"n": [2], "x": [1.5], "t": [b"b"]},
]
ROWS = [(1, (1, 0.5, "a")), (2, (2, 1.5, "b"))]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.tfrecord")


def write(path, records, pack=bytes):
    examples = [r if isinstance(r, bytes) else example(r) for r in records]
    with open(path, "wb") as file:
        file.write(pack(b"".join(map(framed, examples))))


def read(path, *, columns=COLUMNS, keys=(), required=(), **options):
    """Rows as (place, values), and rejects as (place, column, value, reason)."""
    ours = open_reader(TfRecord(path="", **options), Selection(columns, Needs(required), keys))
    return read_all(ours, path, [c.name for c in (*columns, *keys)])


def refusal(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    assert caught.value.where == path
    return caught.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_rows_and_what_the_first_records_show(path, pack):
    write(path, [{"more": [1], **GOOD[0]}, GOOD[1]], pack)
    (part,) = open_reader(TfRecord(path=""), Selection(COLUMNS)).parts(path)
    assert (part.path, part.ignored, part.rows) == (path, ("more",), 2)
    assert part.seen == ("DT_INT64", "DT_FLOAT", "DT_STRING")
    assert part.text_bytes > 0
    assert read(path) == (ROWS, [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_rows_are_numbered_through_batches_and_estimated(path, pack, monkeypatch):
    monkeypatch.setattr(tfrecord, "MOST_ROWS", 300)
    records = [
        {"n": [2**60 if i % 1_000 == 7 else i], "t": [str(i).encode()]} for i in range(2_500)
    ]
    write(path, records, pack)
    (part,) = open_reader(TfRecord(path=""), Selection(COLUMNS)).parts(path)
    assert part.rows == pytest.approx(2_500, rel=0.3)
    rows, rejects = read(path)
    assert [place - 1 for place, _ in rows] == [i for i in range(2_500) if i % 1_000 != 7]
    assert all(int(values[2]) == place - 1 for place, values in rows)
    assert rejects == [(p, "n", str(2**60), "integer_beyond_2_53") for p in (8, 1_008, 2_008)]


def test_unusual_records_make_few_others_slow(path):
    write(path, [{"n": [b"x" if i in (5, 1_500) else i], "t": [b"a"]} for i in range(2_000)])
    ours = open_reader(TfRecord(path=""), Selection(COLUMNS))
    (part,) = ours.parts(path)
    blocks = list(ours.read(part))
    assert max(block.read for block in blocks) >= 500
    assert [r.line for block in blocks for r in block.rejects] == [6, 1_501]
    places = [place for block in blocks for place in block.places.tolist()]
    assert places == [i for i in range(1, 2_001) if i not in (6, 1_501)]


MISSING: list[dict[str, Any]] = [{}, {"x": []}, {"x": None}, {"x": [float("nan")]}]


def test_features_that_are_absent_or_empty_are_missing(path):
    records = [{"n": [1], "t": [b"a"], **more} for more in MISSING]
    write(path, records)
    assert read(path) == ([(place, (1, None, "a")) for place in (1, 2, 3, 4)], [])
    _, rejects = read(path, required=("x",))
    assert [(r[0], r[3]) for r in rejects] == [(place, "missing_label") for place in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("bad", "reject"),
    [
        ({"x": [1.0, 2.0]}, ("x", "[1.0, 2.0]", "several_values")),
        ({"x": [b"1.5"]}, ("x", "1.5", "not_a_number")),
        ({"n": [0.5]}, ("n", "0.5", "not_an_integer")),
        ({"n": [b"5"]}, ("n", "5", "not_an_integer")),
        ({"t": [5]}, ("t", "5", "not_text")),
        ({"t": [b"\xff"]}, ("t", r"b'\xff'", "not_utf8")),
        ({"t": [b"a\0"]}, ("t", "a\0", "contains_nul")),
        ({"x": [float("inf")]}, ("x", "inf", "not_finite")),
        (b"junk!!", (None, None, "not_an_example")),
    ],
)
def test_what_does_not_fit_is_a_reject_and_costs_no_other_row(path, bad, reject):
    write(path, [GOOD[0], bad if isinstance(bad, bytes) else {**GOOD[0], **bad}, GOOD[1]])
    rows, rejects = read(path)
    assert (rows, rejects) == ([(1, ROWS[0][1]), (3, ROWS[1][1])], [(2, *reject)])


def test_numbers_of_the_other_type_are_read_if_they_are_exact(path):
    write(path, [{**GOOD[0], "x": [3], "n": [4.0]}, GOOD[1]])
    assert read(path) == ([(1, (4, 3.0, "a")), ROWS[1]], [])


VALUES = (
    st.none()
    | st.lists(st.sampled_from([0, 1, -(2**63), 2**53 + 1]), max_size=2)
    | st.lists(st.sampled_from([0.5, 2.0, float("nan"), float("inf"), -0.0]), max_size=2)
    | st.lists(st.sampled_from([b"", b"a", b" ?", b"\xff", b"1.5", b"a\0"]), max_size=2)
)
RECORDS = st.lists(st.dictionaries(st.sampled_from("nxtlk"), VALUES), min_size=1, max_size=6)
SELECTION = Selection(
    (*COLUMNS, Column("l", "FLOAT", True, most=1)), keys=(Column("k", "BYTES", False),)
)


@given(RECORDS, st.booleans())
def test_a_batch_by_columns_is_as_one_by_one(records, trim):
    rules = ExampleRules(
        TfRecord(path="", null_values=("?",), trim=trim), SELECTION, ("DT_INT64",) * 5
    )
    data = [example(record) for record in records]
    (whole,) = rules.blocks(data, "f", 1)
    alone = [b for place, each in enumerate(data, 1) for b in rules.blocks([each], "f", place)]
    rows = [repr(row) for row in whole.columns.to_pylist()]
    assert rows == [repr(row) for block in alone for row in block.columns.to_pylist()]
    assert whole.places.tolist() == [p for block in alone for p in block.places.tolist()]
    assert whole.rejects == tuple(reject for block in alone for reject in block.rejects)


def test_lists(path):
    columns = (Column("tags", "BYTES", True, most=2), Column("days", "INT", True, most=2))
    write(
        path,
        [
            {"tags": [b"a", b"b"], "days": [1, 2]},
            {"tags": [], "days": []},
            {},
            {"tags": [b"a", b"b", b"c"]},
            {"tags": [b"\xff"]},
            {"days": [b"1"]},
        ],
    )
    rows, rejects = read(path, columns=columns)
    assert rows == [(1, (["a", "b"], [1, 2])), (2, ([], [])), (3, (None, None))]
    assert [(r[0], r[3]) for r in rejects] == [
        (4, "list_too_long"),
        (5, "not_utf8"),
        (6, "not_an_integer"),
    ]


def test_keys_have_the_types_of_the_selection_and_numbers_become_text(path):
    write(path, [{**GOOD[0], "id": [7]}, {**GOOD[1], "id": [b" x "]}])
    for kind, ids in (("BYTES", ["7", " x "]), ("INT", [7])):
        rows, _ = read(path, keys=(Column("id", kind, False),), trim=True)
        assert [values[3] for _, values in rows] == ids


def test_a_file_without_records(path):
    write(path, [])
    (part,) = open_reader(TfRecord(path=""), Selection(COLUMNS)).parts(path)
    assert (part.rows, read(path)) == (0, ([], []))
    assert tfrecord.sample(TfRecord(path=path), path, 5)[0].num_columns == 0


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_is_cut_off_is_to_be_copied_again(path, pack):
    write(path, GOOD * 10, pack)
    with open(path, "r+b") as file:
        file.truncate(file.seek(0, 2) - 9)
    error = refusal(path)
    assert "is cut off" in error.what
    assert "copy it again" in str(error.remedy)


def test_a_damaged_record_is_named(path):
    write(path, GOOD * 10)
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        data[-1] ^= 1
        file.seek(0)
        file.write(data)
    error = refusal(path)
    assert "record 20 is damaged" in error.what
    assert "copy it again" in str(error.remedy)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"n,x,t\n1,2,a\n", "the file is text, not TFRecord as its name says"),
        (b"PAR1\x15\x04\x15", "the file is a Parquet file, not TFRecord"),
        (framed(b"junk!!") * 3, "none of the first records is a tf.Example"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path, path, data, what):
    (tmp_path / "rows.tfrecord").write_bytes(data)
    error = refusal(path)
    assert error.what == what
    assert error.remedy


def test_names_that_are_not_there(path):
    write(path, [{"N": [1], "X": [0.5]}])
    assert "did you mean 'N'?" in refusal(path).what
    write(path, [{"a": [1]}])
    assert "have none of the columns" in refusal(path).what


def test_a_sample_has_the_types_of_most_values(path):
    write(path, [*GOOD, {"n": [b"?"], "l": [1, 2]}, b"junk!!", {"l": [1]}])
    table, whole = tfrecord.sample(TfRecord(path=path), path, 10)
    assert (table.to_pydict(), whole) == (
        {
            "n": [1, 2, None, None],
            "x": [0.5, 1.5, None, None],
            "t": ["a", "b", None, None],
            "l": [None, None, [1, 2], [1]],
        },
        True,
    )
    table, whole = tfrecord.sample(TfRecord(path=path), path, 2)
    assert (table.num_rows, whole) == (2, False)
    assert tfrecord.draft(path) == TfRecord(path=path)


def test_a_file_is_checked_without_tensorflow_and_tfx(path):
    write(path, GOOD)
    code = (
        "import sys; from components.sources.protocol import Selection, open_reader;"
        "from schemas.columns import Column; from schemas.sources import plain;"
        f"reader = open_reader(plain({path!r}), Selection((Column('n', 'INT', True),)));"
        f"reader.check({path!r}); print([p.rows for p in reader.parts({path!r})]);"
        "print({'tensorflow', 'tfx_bsl', 'apache_beam'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[2.0]\nset()\n"
