"""JSON lines → typed rows, and rejects with line, column, value, reason and record."""

import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pytest

from components.sources import jsonl, jsonl_head, jsonl_lines
from components.sources.protocol import Needs, Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.jsonl import JsonLines

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))
GOOD = b'{"n": 1, "x": 0.5, "t": "a"}\n'


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "rows.jsonl")


def reader(columns=COLUMNS, required=("t",), keys=(), **options):
    return open_reader(JsonLines(path="", **options), Selection(columns, Needs(required), keys))


def write(path, data):
    with (gzip.open if path.endswith(".gz") else open)(path, "wb") as file:
        file.write(data)


def read(path, data, **options):
    """Rows as (place, values), and rejects as (place, column, value, reason, record)."""
    write(path, data)
    ours = reader(**options)
    rows, rejects = [], []
    for part in ours.parts(path):
        for block in ours.read(part):
            assert block.columns.num_rows + len(block.rejects) == block.read
            values = zip(*(column.to_pylist() for column in block.columns.columns), strict=True)
            rows += list(zip(block.places.tolist(), values, strict=True))
            rejects += [reject.row()[1:] for reject in block.rejects]
    return rows, rejects


def columns(**kinds):
    return tuple(Column(name.replace("_", "."), kind, True) for name, kind in kinds.items())


def test_lines_become_rows_and_what_does_not_fit_a_reject(path):
    lines = [
        b'{"n": 1, "x": 1, "t": "a", "y": 0}',
        b'{"n": 2, "x": 2.5, "y": 1}',  # a missing key
        b'{"n": 3, "x": null, "t": null, "y": 0}',
        b'{"n": 4, "x": "3", "t": 7, "y": 1}',
        b"",
        b'{"n": 5, "x": NaN, "t": "\\u00e9\\n", "y": 1, "new": {"a": [1]}}',
        b'{"n": 6, "x": 1e400, "t": "b", "y": 0}',
        b'{"n": 9007199254740993, "x": 1.0, "t": "b", "y": 0}',
        b"not json",
        b'{"n": 8, "x": 1.0, "t": "z", "y": 1}',  # without a line end
    ]
    selected = (*COLUMNS, Column("y", "INT", True))
    rows, rejects = read(path, b"\n".join(lines), columns=selected, required=("y",))
    assert rows == [
        (1, (1, 1.0, "a", 0)),
        (2, (2, 2.5, None, 1)),
        (3, (3, None, None, 0)),
        (6, (5, None, "é\n", 1)),
        (10, (8, 1.0, "z", 1)),
    ]
    assert rejects == [
        (4, "x", "3", "not_a_number", lines[3].decode()),
        (7, "x", "Infinity", "not_finite", lines[6].decode()),
        (8, "n", "9007199254740993", "integer_beyond_2_53", lines[7].decode()),
        (9, None, None, "not_json", "not json"),
    ]
    (part,) = reader(selected).parts(path)
    assert (part.ignored, part.rows) == (("new",), 9)


@pytest.mark.parametrize(
    ("line", "reject"),
    [
        (b'{"n": 1.5, "t": "a"}', ("n", "1.5", "not_an_integer")),
        (b'{"n": NaN, "t": "a"}', ("n", "NaN", "not_an_integer")),
        (b'{"n": true, "t": "a"}', ("n", "true", "not_an_integer")),
        (b'{"n": -9007199254740993, "t": "a"}', ("n", "-9007199254740993", "integer_beyond_2_53")),
        (b'{"n": [1], "t": "a"}', ("n", "[1]", "not_an_integer")),
        (b'{"x": {"a": 1}, "t": "a"}', ("x", '{"a": 1}', "not_a_number")),
        (b'{"x": -Infinity, "t": "a"}', ("x", "-Infinity", "not_finite")),
        (b'{"x": 3.5e38, "t": "a"}', ("x", "3.5e+38", "not_finite")),
        (b'{"t": 7}', ("t", "7", "not_text")),
        (b'{"t": "\\u0000"}', ("t", "\0", "contains_nul")),
        (b'{"t": "\\ud800"}', ("t", "\\ud800", "not_text")),
        (b'{"n": 1}', ("t", None, "missing_label")),
        (b'{"t": ""}', ("t", None, "missing_label")),
        (b'{"t": "a", "t": "b"}', ("t", None, "repeated_key")),
        (b'{"n": null, "\\u006e": 1, "t": "a"}', ("n", None, "repeated_key")),
        (b'{"t": "\xff"}', (None, None, "not_utf8")),
        (b'{"t": "a", "more": "\xff"}', (None, None, "not_utf8")),
        (b'\xef\xbb\xbf{"t": "a"}', (None, None, "not_json")),
        (b'{"t": "a"} {"t": "b"}', (None, None, "not_json")),
        (b'{"t": "a"} null {"t": "b"}', (None, None, "not_json")),
        (b'{"t": "a"}}', (None, None, "not_json")),
        (b'{"t": "a"},{}', (None, None, "not_json")),
        (b'{"t": "a"', (None, None, "not_json")),
        (b'{"t": "a\0"}', (None, None, "not_json")),
        (b'{"t": "a", "x": Inf}', (None, None, "not_json")),
        (b'{"t": "a", "more": -NaN}', (None, None, "not_json")),
        (b'{"t": "a", "n": 01}', (None, None, "not_json")),
        (b'{"more": ' + b"[" * 9_999 + b"]" * 9_999 + b', "t": "a"}', (None, None, "not_json")),
        (b"null", (None, None, "not_an_object")),
        (b'["a"]', (None, None, "not_an_object")),
    ],
)
def test_a_line_that_does_not_fit_is_rejected_with_its_number(path, line, reject):
    for lines in ([GOOD, line, b"\n", GOOD], [GOOD, GOOD, line]):
        place = lines.index(line) + 1
        rows, rejects = read(path, b"".join(lines))
        assert [values for _, values in rows] == [(1, 0.5, "a")] * 2
        assert rejects == [(place, *reject, line[:2000].decode("utf-8", "backslashreplace"))]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b'  {"n": 3.0, "x": -0, "t": "a"}\t\r', (3, 0.0, "a")),
        (b'{ "t" : "\\ud83d\\ude00\\/\\"" , "more" : { "a": { "b": {} } } }', (None, None, '😀/"')),
        (b'{"t": "}{", "more": "Inf "}', (None, None, "}{")),
        (b'{"t": "a", "more": {"n": 7}, "z": [{"t": "b"}, {}]}', (None, None, "a")),
        (b'{"t": "a", "more": 1, "more": 2}', (None, None, "a")),
        (b'{"t": "a", "more": ' + b"[" * 200 + b"]" * 200 + b"}", (None, None, "a")),
        (b'{"t": "a", "more": ' + b"1" * 9_999 + b"}", (None, None, "a")),
        (b'{"n": 9007199254740992, "x": 1e-400, "t": "2026-11-21"}', (2**53, 0.0, "2026-11-21")),
    ],
)
def test_what_json_allows_is_read(path, line, values):
    rows, rejects = read(path, GOOD + line + b"\n")
    assert rows == [(1, (1, 0.5, "a")), (2, values)]
    assert rejects == []


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.ndjson", "rows.json"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_a_byte_order_mark_and_gzip(tmp_path, name, end):
    data = b"\xef\xbb\xbf" + end.join([GOOD.strip(), b" \t", b"", GOOD.strip()])
    rows, rejects = read(str(tmp_path / name), data)
    assert ([place for place, _ in rows], rejects) == ([1, 4], [])


def test_lines_are_numbered_through_blocks_and_may_be_longer_than_one(path, monkeypatch):
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 50)
    monkeypatch.setattr(jsonl_head, "_HEAD_BYTES", 50)
    texts = ["x" * (7 * i % 130) for i in range(1, 40)]
    lines = [json.dumps({"t": text}) for text in texts]
    lines[10:10] = ["", "no"]
    rows, rejects = read(path, "\n".join(lines).encode())
    assert [values[2] for _, values in rows] == texts
    assert [place for place, _ in rows] == [*range(1, 11), *range(13, 42)]
    assert [place for place, *_ in rejects] == [12]


def test_a_record_of_megabytes(path):
    lines = [{"n": 1, "more": "a" * 3_000_000, "t": "no"}, {"n": 2, "more": "b", "t": "yes"}]
    rows, _ = read(path, "\n".join(map(json.dumps, lines)).encode())
    assert rows == [(1, (1, None, "no")), (2, (2, None, "yes"))]


def test_a_line_without_end_is_refused(path, monkeypatch):
    monkeypatch.setattr(jsonl_lines, "MAX_RECORD_BYTES", 1_000)
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 100)
    with pytest.raises(DataError, match="a record is longer than 1,000 bytes") as caught:
        read(path, GOOD + b'{"t": "' + b"a" * 3_000 + b'"}')
    assert caught.value.where == f"{path}:2"


def test_a_dotted_name_is_a_path_unless_it_is_a_key(path):
    lines = [
        b'{"a": {"x": 1, "b": {"t": "deep"}, "c": 5}}',
        b'{"a.x": 2, "a": {"x": 1}}',
        b'{"a.x": null, "a": {"x": 3}, "a.b.t": "key"}',
        b'{"a": null}',
        b'{"a": {"b": null}, "c": 1}',
        b'{"a": []}',
        b'{"a": {"x": 1, "b": "t"}}',
        b'{"a": {"x": 1, "x": 2}}',
        b'{"a": {"x": 1}, "a": {}}',
        b'{"a": {"c": 1, "c": 2}}',
    ]
    selected = columns(a_x="FLOAT", a_b_t="BYTES")
    rows, rejects = read(path, b"\n".join(lines), columns=selected, required=())
    assert [(place, *values) for place, values in rows] == [
        (1, 1.0, "deep"),
        (2, 2.0, None),
        (3, 3.0, "key"),
        (4, None, None),
        (5, None, None),
        (10, None, None),
    ]
    assert [reject[:4] for reject in rejects] == [
        (6, "a.x", "[]", "not_an_object"),
        (7, "a.b.t", "t", "not_an_object"),
        (8, "a.x", None, "repeated_key"),
        (9, "a.x", None, "repeated_key"),
    ]
    assert reader(selected).parts(path)[0].ignored == ("c",)


def test_an_object_that_is_a_column_itself_has_no_nested_ones(path):
    data = b'{"a": 1, "a.x": 2}\n{"a": 3}\n{"a": {"x": 4}}\n'
    rows, rejects = read(path, data, columns=columns(a="FLOAT", a_x="FLOAT"), required=())
    assert rows == [(1, (1.0, 2.0)), (2, (3.0, None))]
    assert [reject[:4] for reject in rejects] == [(3, "a", '{"x": 4}', "not_a_number")]


def test_texts_that_mean_missing_and_spaces_around_texts(path):
    data = "\n".join(json.dumps({"t": text}) for text in ["a", "", "?", " ? ", "b "]).encode()
    texts = {}
    for options in ({}, {"null_values": ("?",)}, {"null_values": ("?",), "trim": True}):
        rows, _ = read(path, data, required=(), **options)
        texts[len(options)] = [values[2] for _, values in rows]
    assert texts == {
        0: ["a", None, "?", " ? ", "b "],
        1: ["a", None, None, " ? ", "b "],
        2: ["a", None, None, None, "b"],
    }


@pytest.mark.parametrize("other", ["", '{"w": null}\n', '{"w": " yes"}\n', '{"w": 1, "o": "1"}\n'])
def test_booleans_and_times(path, other):
    data = other + '{"o": true, "w": true, "u": 2.0, "d": "1970-01-02"}\n{"o": 0, "w": false}\n'
    selected = (
        Column("o", "BOOL", True),
        Column("w", "BOOL_TEXT", True, ("yes", "no")),
        Column("u", "TIME", True, ("UNIX_SECONDS",)),
        Column("d", "TIME_TEXT", True, ("%Y-%m-%d",)),
    )
    rows, _ = read(path, data.encode(), columns=selected, required=(), null_values=("no",))
    assert [values for _, values in rows[-2:]] == [
        (1, "yes", 2_000_000, 86_400_000_000),
        (0, None, None, None),
    ]


@pytest.mark.parametrize(
    ("ids", "texts", "numbers"),
    [
        ("7 -0 null 18446744073709551615", ["7", "0", None, "18446744073709551615"], True),
        ('"7" 8 1.5 true', ["7", "8", "1.5", "true"], False),
    ],
)
def test_keys_of_text_are_numbers_too(path, ids, texts, numbers):
    lines = [f'{{"id": {i}, "n": 1, "t": "a"}}' for i in ids.split()]
    keys = (Column("id", "BYTES", False), COLUMNS[0])
    rows, rejects = read(path, "\n".join(lines).encode(), keys=keys)
    assert ([values[3:] for _, values in rows], rejects) == ([(text, 1) for text in texts], [])
    (part,) = reader(keys=keys).parts(path)
    assert part.seen == (int, type(None), str, int if numbers else part.seen[3], int)
    assert reader(keys=keys).key_types(part) == pa.schema([("id", pa.string()), ("n", pa.int64())])


def test_rows_without_a_weight_are_rejected(path):
    weighed = Selection(COLUMNS, Needs(weight="x"))
    write(path, b'{"x": -1}\n{"x": 0}\n{"x": null}\n{"x": 2, "n": "1"}\n' + GOOD)
    ours = open_reader(JsonLines(path=""), weighed)
    (block,) = ours.read(ours.parts(path)[0])
    assert block.places.tolist() == [2, 5]
    assert [reject.row()[1:5] for reject in block.rejects] == [
        (1, "x", "-1", "negative_weight"),
        (3, "x", None, "missing_weight"),
        (4, "n", "1", "not_an_integer"),
    ]


def test_a_key_that_is_not_a_text_is_rejected(path):
    data = GOOD.replace(b'"a"', b'"a", "id": {}') + GOOD.replace(
        b'"a"', b'"a", "id": ' + b"1" * 5_000
    )
    _, rejects = read(path, data, keys=(Column("id", "BYTES", False),))
    assert [reject[1::2][:2] for reject in rejects] == [("id", "not_text")] * 2


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"n,x,t\n1,2,a\n", "the first line is not a JSON object, nor is any", "format: csv"),
        (b"x", "the only line is not a JSON object", "format: csv"),
        (b"[\n{\n}\n]", "the file is a JSON array, not JSON lines", "jq -c '.[]'"),
        (b'[{"t": "a"}]', "the file is a JSON array, not JSON lines", "jq -c '.[]'"),
        (b'{\n  "t": "a"\n}\n', "the first line is not a JSON object", "jq -c ."),
        (b'["a", 1]\n["b", 2]\n', "the first line is not a JSON object", "as a JSON object"),
        (b'{"T ": "a"}\n', "no key 't'; did you mean 'T '?", "upper and lower case"),
        (b'{"u": "a"}\n', "none of the columns", "the names of the columns"),
        ('{"t": "a"}\n'.encode("utf-16"), "the file is text in UTF-16, not JSON lines", "iconv"),
        (gzip.compress(GOOD, mtime=0), "the file is packed with gzip, not JSON lines", "gunzip"),
        (b"PAR1\x15\x04\x15", "the file is a Parquet file, not JSON lines", "format: parquet"),
    ],
)
def test_another_file_is_refused_with_the_remedy(path, data, what, remedy):
    with pytest.raises(DataError) as caught:
        read(path, data)
    assert what in caught.value.what
    assert remedy in str(caught.value.remedy)
    assert str(caught.value.where).startswith(path)


def test_keys_that_are_half_a_character_are_ignored(path):
    write(path, b'{"n": 1, "\\ud800": 2, "t": "\\ude00"}\n')
    (part,) = reader().parts(path)
    assert part.ignored == ("\\ud800",)


def test_an_error_names_some_keys_only(path):
    write(path, json.dumps({f"k{n}": n for n in range(99)}).encode())
    with pytest.raises(DataError) as caught:
        reader().parts(path)
    assert str(caught.value.expected).endswith("k28, k29, …")


@pytest.mark.parametrize("data", [b"", b"\n \n\r\n", b"\xef\xbb\xbf"])
def test_a_file_without_lines_has_no_rows(path, data):
    assert read(path, data) == ([], [])


def test_a_file_of_empty_objects_has_rows(path):
    assert read(path, b"{}\n{}\n", required=()) == ([(n, (None,) * 3) for n in (1, 2)], [])


def test_a_file_is_checked_without_arrow(path):
    write(path, GOOD)
    code = (
        "import sys; from components.sources.protocol import Needs, Selection, open_reader;"
        "from schemas.columns import Column; from schemas.sources import plain;"
        f"reader = open_reader(plain({path!r}), Selection((Column('n', 'INT', True),)));"
        f"reader.check({path!r}); print([p.rows for p in reader.parts({path!r})]);"
        "print({'pyarrow', 'components.sources.parquet'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[1.0]\nset()\n"
