"""CSV files that are not plain UTF-8 with a header: what each option of a source changes."""

import bz2
import gzip

import pyarrow as pa
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources.number_text import NumberFormat
from components.sources.protocol import Selection, open_reader
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.csv import Csv
from schemas.sources.jsonl import JsonLines

NUMBERS = {"x": "FLOAT", "n": "INT"}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a file: rows by their places, and rejects by theirs."""

    def reading(data, columns, *, name="rows.csv", kind=Csv, **options):
        path = tmp_path / name
        path.write_bytes(data)
        selection = Selection(tuple(Column(n, k, serving=True) for n, k in columns.items()))
        reader = open_reader(kind(path=name, **options), selection)
        rows: dict[int, tuple[object, ...]] = {}
        rejects: dict[int, tuple[str | None, str | None, str]] = {}
        count = 0
        for part in reader.parts(str(path)):
            for block in reader.read(part):
                values = [tuple(row.values()) for row in block.columns.to_pylist()]
                rows |= dict(zip(block.places.tolist(), values, strict=True))
                rejects |= {r.line: (r.column, r.value, r.reason.code) for r in block.rejects}
                count += block.read
        assert count == len(rows) + len(rejects)
        return rows, rejects

    return reading


def test_names_are_those_of_the_fields_of_a_file_without_a_header(read):
    rows, rejects = read(b"1,2\n3,4\n5\n", {"b": "INT", "a": "INT"}, header=False, names=["a", "b"])
    assert rows == {1: (2, 1), 2: (4, 3)}
    assert rejects == {3: (None, "1 fields; source.names has 2", "wrong_field_count")}


def test_names_that_do_not_fit_the_first_record_are_refused_with_its_line(read):
    with pytest.raises(DataError) as refused:
        read(b"\n1,2\n", {"a": "INT"}, header=False, names=["a", "b", "c"])
    assert refused.value.what == "the first record has 2 fields, and source.names has 3 names"
    assert str(refused.value.where).endswith("rows.csv:2")


def test_a_column_that_is_not_among_the_names_comes_with_the_nearest(read):
    with pytest.raises(DataError, match="did you mean 'fares'"):
        read(b"1,2\n", {"fare": "INT"}, header=False, names=["fares", "b"])


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
class TestPackedFiles:
    def test_are_read_by_their_ending(self, read, ending, pack):
        assert read(pack(b"x\n1\n"), {"x": "INT"}, name=f"a.csv{ending}")[0] == {2: (1,)}
        rows, _ = read(pack(b'{"x": 1}\n'), {"x": "INT"}, name=f"a.json{ending}", kind=JsonLines)
        assert rows == {1: (1,)}

    def test_that_end_early_are_refused(self, read, ending, pack):
        data = pack(bytes(f"x\n{'%d' * 9_000}\n" % tuple(range(9_000)), "ascii"))
        with pytest.raises(DataError) as refused:
            read(data[:-5], {"x": "BYTES"}, name=f"a.csv{ending}")
        assert "copy it again" in str(refused.value.remedy)

    def test_that_are_not_packed_are_refused(self, read, ending, pack):
        with pytest.raises(DataError, match="as its name says"):
            read(b"x\n1\n", {"x": "INT"}, name=f"a.csv{ending}")


def test_lines_that_begin_with_the_comment_are_neither_read_nor_rejected(read):
    data = b'# say "x\na,b\n#c, "d\n1,2\n"#q",3\n\n#e,"\n4,"#\n#5"\n#'
    rows, rejects = read(data, {"a": "BYTES", "b": "BYTES"}, comment="#")
    assert rows == {4: ("1", "2"), 5: ("#q", "3"), 8: ("4", "#\n#5")}
    assert rejects == {}


def test_a_comment_may_have_bytes_that_are_not_utf8(read):
    assert read(b"x\n//\xff\n1\n", {"x": "INT"}, comment="//") == ({3: (1,)}, {})


def test_a_decimal_comma_is_read_in_numbers_and_lists(read):
    rows, rejects = read(
        b"x;n\n1.234,5;1.234\n-1234,5;12.34\n1.23,4;1\n1.5;2\n,5e3;\n",
        NUMBERS,
        delimiter=";",
        decimal=",",
        thousands=".",
    )
    assert rows == {2: (1234.5, 1234), 6: (500.0, None)}
    assert rejects == {
        3: ("n", "12.34", "not_an_integer"),
        4: ("x", "1.23,4", "not_a_number"),
        5: ("x", "1.5", "not_a_number"),
    }


def test_texts_keep_their_commas(read):
    assert read(b't\n"1,5"\n', {"t": "BYTES"}, decimal=",")[0] == {2: ("1,5",)}


@given(st.integers(-(2**53), 2**53), st.sampled_from([" ", ",", "'", "\u202f"]))
def test_grouped_integers_are_read_as_plain_ones(number, thousands):
    grouped = pa.array([f"{number:,}".replace(",", thousands)])
    read = NumberFormat(".", thousands).read(grouped, Column("n", "INT", serving=True))
    assert read.values.to_pylist() == [number]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_text_is_read_in_its_encoding(read, encoding):
    data = "näme,x\nMüller,1\nA,é\n".encode(encoding)
    rows, rejects = read(data, {"näme": "BYTES", "x": "INT"}, encoding=encoding)
    assert rows == {2: ("Müller", 1)}
    assert rejects == {3: ("x", "é", "not_an_integer")}


def test_bytes_that_are_not_of_the_encoding_are_rejects(read):
    rows, rejects = read(b"t\nM\x81ller\nA\n", {"t": "BYTES"}, encoding="cp1252")
    assert rows == {3: ("A",)}
    assert rejects == {2: ("t", "M\ufffdller", "not_utf8")}


def test_half_of_a_character_at_the_end_of_utf_16_is_a_reject(read):
    rows, rejects = read("t\nA\nB".encode("utf-16-le") + b"x", {"t": "BYTES"}, encoding="utf-16-le")
    assert rows == {2: ("A",)}
    assert rejects == {3: ("t", "B\ufffd", "not_utf8")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "latn1"}, "unknown encoding 'latn1'; did you mean 'latin-1'"),
        ({"encoding": "base64"}, "unknown encoding 'base64'"),
        ({"header": False}, "list the names of the fields in names"),
        ({"names": ["a"]}, "set header: false"),
        ({"header": False, "names": ["a", "a"]}, "names has 'a' more than once"),
        ({"thousands": "."}, "thousands and decimal are both '.'"),
        ({"thousands": "5"}, "'5' cannot separate thousands"),
        ({"comment": "\n"}, "cannot begin a comment"),
        ({"comment": ",#"}, "cannot begin a comment"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(pydantic.ValidationError) as refused:
        Csv(path="x", **options)
    assert message in str(refused.value)


def test_a_column_may_have_texts_of_its_own_that_mean_missing(read):
    nulls = {"": ["NA"], "age": ["-1", "?"]}
    columns = {"age": "INT", "n": "INT", "t": "BYTES"}
    rows, rejects = read(b"age,n,t\n-1,-1,?\nNA,NA,NA\n?,1,-1\n", columns, null_values=nulls)
    assert rows == {2: (None, -1, "?"), 3: (None, None, None), 4: (None, 1, "-1")}
    assert rejects == {}


def test_texts_of_a_column_of_json_lines_mean_missing(read):
    rows, _ = read(
        b'{"a": "?", "b": "?"}\n{"a": " ? "}\n',
        {"a": "BYTES", "b": "BYTES"},
        kind=JsonLines,
        null_values={"a": ["?"]},
        trim=True,
    )
    assert rows == {1: (None, "?"), 2: (None, None)}
