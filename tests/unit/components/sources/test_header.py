"""What the first bytes of a file show."""

import gzip

import pytest

from components.sources.header import read_fields
from components.sources.protocol import Selection
from components.sources.rules import Rules
from schemas.columns import Column
from schemas.errors import ConfigError, DataError
from schemas.sources.csv import Csv

COLUMNS = (Column("fare", "FLOAT", True), Column("tips", "FLOAT", True))


@pytest.fixture
def fields(tmp_path):
    def _fields(data, *, name="data.csv", columns=("fare", "tips"), **source):
        path = tmp_path / name
        path.write_bytes(data)
        wanted = tuple(Column(column, "FLOAT", True) for column in columns)
        rules = Rules.of(Csv(path=str(path), **source), Selection(wanted))
        return read_fields(str(path), rules)

    return _fields


def test_columns_are_found_by_name(fields):
    found = fields(b"tips,id,fare,note\n1,2,3,4\n")
    assert (found.count, found.positions, found.ignored) == (4, (2, 0), ("id", "note"))


@pytest.mark.parametrize(
    "header", [b"\xef\xbb\xbffare,tips\r\n", b'"fare","tips"', b"\n\nfare,tips"]
)
def test_headers_as_they_come(fields, header):
    assert fields(header).positions == (0, 1)


def test_names_are_trimmed_where_values_are(fields):
    assert fields(b"fare, tips\n", trim=True).positions == (0, 1)


def test_a_missing_column_is_named_with_the_header_and_the_nearest_name(fields):
    with pytest.raises(DataError, match=r"'tips' is not in .* did you mean 'tip'\?") as caught:
        fields(b"fare,tip,company\n")
    assert str(caught.value.where).endswith("data.csv")
    assert "fare, tip, company" in str(caught.value.expected)


def test_all_missing_columns_are_named_at_once(fields):
    with pytest.raises(
        DataError, match="the columns 'fare', 'tips' are not in the file's header\n"
    ):
        fields(b"company,area\n")


def test_the_nearest_name_may_be_one_that_is_read_already(fields):
    with pytest.raises(DataError, match=r"did you mean 'fare'\?"):
        fields(b"fare,company\n", columns=("fare", "fares"))


@pytest.mark.parametrize(
    ("header", "option"),
    [
        (b"fare, tips\n", "source.trim: true"),
        (b"fare;tips\n", 'source.delimiter: ";"'),
        (b"fare\ttips\n", r'source.delimiter: "\t"'),
    ],
)
def test_an_option_that_would_find_the_columns_is_named(fields, header, option):
    with pytest.raises(DataError) as caught:
        fields(header)
    assert option in str(caught.value.remedy)


def test_a_header_in_another_encoding_must_be_converted(fields):
    with pytest.raises(DataError) as caught:
        fields("fare,tips\n".encode("utf-16"))
    assert "UTF-8" in str(caught.value.remedy)


def test_a_column_named_twice_is_refused_with_its_places(fields):
    with pytest.raises(DataError, match="'fare' 2 times") as caught:
        fields(b"fare,tips,fare\n")
    assert "the fields 1 and 3" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        (b"FARE,Tips\n", "'FARE', 'Tips'"),
        (b"fare,TIPS\n", "'TIPS'"),
        (b"\xef\xbb\xbf\xef\xbb\xbffare,tips\n", r"'\\ufefffare'"),
    ],
)
def test_intended_names_are_suggested(fields, header, meant):
    with pytest.raises(DataError, match=rf"did you mean {meant}\?"):
        fields(header)


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"Fare,tips\n", "the same upper and lower case"),
        (b"sep=,\nfare,tips\n", "remove the first line"),
        (b"\xef\xbb\xbf\xef\xbb\xbffare,tips\n", "remove the second byte order mark"),
        (b"1.5,fare\n", "the names of the columns into the file's first line"),
        (b"hello\n", "or leave the file out"),
        (b"fare,\0\n", "the file is not text"),
        (b'fare,"tips\n1,2\n', "close the quote"),
        (b"fare,Cr\xe9dit\n", "set source.encoding in pipeline.yaml, such as cp1252"),
    ],
)
def test_a_header_that_is_wrong_comes_with_what_to_do(fields, data, remedy):
    with pytest.raises(DataError) as caught:
        fields(data)
    assert remedy in str(caught.value.remedy)


def test_an_ignored_column_may_be_named_twice(fields):
    assert fields(b"fare,,tips,,\n").ignored == ("", "", "")


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(fields, data):
    with pytest.raises(DataError, match="the file is empty"):
        fields(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"fare,\xff\n", "utf-8"), (b'fare,"tips\n1,2\n', "quote is not closed")],
)
def test_a_header_that_cannot_be_read(fields, data, says):
    with pytest.raises(DataError, match=says) as caught:
        fields(b"\n" + data)
    assert str(caught.value.where).endswith("data.csv:2")


def test_a_small_files_rows_are_counted(fields):
    found = fields(b"fare,tips\n1,2\n\n3,4\n")
    assert (found.rows, found.text_bytes) == (2, 19)
    assert fields(b"fare,tips\n").rows == 0


def test_a_large_files_rows_are_estimated(fields):
    found = fields(b"fare,tips\n" + b"1.25,0.50\n" * 500_000)
    assert found.rows == pytest.approx(500_000, rel=0.01)
    assert found.text_bytes == pytest.approx(5_000_000, rel=0.01)


def test_a_gzipped_files_rows_are_estimated(fields):
    text = b"fare,tips\n" + b"".join(b"%d,%d\n" % (i * i % 977, i) for i in range(300_000))
    found = fields(gzip.compress(text), name="data.csv.gz")
    assert found.rows == pytest.approx(300_000, rel=0.5)


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0", "é"])
def test_what_cannot_be_a_delimiter(delimiter):
    with pytest.raises(ConfigError, match="cannot be a delimiter"):
        Rules.of(Csv(path="x", delimiter=delimiter), Selection(COLUMNS))
