"""Where records start and end, and in which line, for any quotes and blocks."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from components.sources import csv_blocks
from components.sources.byte_source import ByteSource
from components.sources.csv_blocks import read_blocks
from components.sources.csv_ranges import read_records
from components.sources.rules import Dialect
from schemas.errors import DataError

COMMA = Dialect(b",", multiline=True)
LINES = Dialect(b",", multiline=False)
COMMENTS = Dialect(b",", multiline=True, comment=b"a")


class Memory(io.BytesIO):
    path = "memory.csv"


def blocks(data, dialect=COMMA, block_bytes=1 << 20):
    return list(read_blocks(Memory(data), dialect, block_bytes=block_bytes))


def records(data, dialect=COMMA, block_bytes=1 << 20):
    """Return every record as (line, bytes, closed)."""
    return [
        (block.line_of(i), block.record(i), bool(block.closed[i]))
        for block in blocks(data, dialect, block_bytes)
        for i in range(len(block))
    ]


def python_records(text):
    """Return every record as Python's csv module reads it: (line, values)."""
    reader = csv.reader(io.StringIO(text, newline=""))
    found, line = [], 1
    for row in reader:
        if row:
            found.append((line, row))
        line = reader.line_num + 1
    return found


def values(record):
    return next(csv.reader([record.decode()]))


def test_plain_lines():
    assert records(b"a,b\n1,2\n3,4\n") == [
        (1, b"a,b", True),
        (2, b"1,2", True),
        (3, b"3,4", True),
    ]


def test_the_last_line_needs_no_end():
    assert records(b"a,b\n1,2") == [(1, b"a,b", True), (2, b"1,2", True)]


def test_nothing():
    assert records(b"") == []
    assert records(b"\n\r\n\n") == []


def test_a_byte_order_mark_is_dropped():
    assert records(b"\xef\xbb\xbfa,b\n1,2\n")[0] == (1, b"a,b", True)
    assert records(b"\xef\xbb\xbf") == []


def test_a_byte_order_mark_within_the_file_is_text():
    assert records(b"a\n\xef\xbb\xbf1\n")[1] == (2, b"\xef\xbb\xbf1", True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block_bytes", [3, 4, 5, 7, 1 << 20])
def test_line_ends(end, block_bytes):
    data = end.join(["a,b", "", '"x', 'y",2', "3,4"]).encode()
    assert records(data, block_bytes=block_bytes) == [
        (1, b"a,b", True),
        (3, f'"x{end}y",2'.encode(), True),
        (5, b"3,4", True),
    ]


def test_quoted_delimiters_quotes_and_line_ends():
    data = b'"a,b","c ""d"" e","f\n\ng"\nh,i,j\n'
    assert records(data) == [(1, b'"a,b","c ""d"" e","f\n\ng"', True), (4, b"h,i,j", True)]


def test_a_quote_within_an_unquoted_value_is_a_character():
    data = b'5" pipe,1\n6" pipe,"a\nb"\n7,8\n'
    assert [line for line, *_ in records(data)] == [1, 2, 4]


@pytest.mark.parametrize("dialect", [COMMA, LINES])
@pytest.mark.parametrize(
    "record", [b'1,"a"b', b'"a"b"c', b'1,"say "hi" twice",2', b'"a" ,1', b'"""']
)
def test_a_quote_that_closes_before_the_values_end_costs_its_line(record, dialect):
    data = b'"x",1\n' + record + b'\n"y",2\n'
    assert records(data, dialect) == [(1, b'"x",1', True), (2, record, False), (3, b'"y",2', True)]


def test_quotes_that_are_not_closed_take_no_lines_with_them():
    lines = [b"%d,x" % i for i in range(100)]
    lines[10], lines[50], lines[70], lines[90] = b'10,"x', b'50,"x', b'70,"good, one"', b'90,"x'
    found = records(b"\n".join(lines))
    assert [line for line, *_ in found] == list(range(1, 101))
    assert [record for _, record, closed in found if not closed] == [b'10,"x', b'50,"x', b'90,"x']


def test_a_record_that_is_not_closed_may_have_line_ends_in_another_value():
    assert records(b'"a"b,"c\nd"\n1,2\n') == [(1, b'"a"b,"c\nd"', False), (3, b"1,2", True)]


def test_a_quote_never_closed_costs_its_line_only():
    data = b'a,b\n1,"2\n3,4\n5,6\n'
    assert records(data) == [
        (1, b"a,b", True),
        (2, b'1,"2', False),
        (3, b"3,4", True),
        (4, b"5,6", True),
    ]


def test_a_quote_never_closed_after_doubled_ones():
    assert [r for _, r, closed in records(b'"a""\n1\n') if not closed] == [b'"a""']


def test_a_quote_never_closed_in_a_large_file(monkeypatch):
    monkeypatch.setattr(csv_blocks, "MAX_RECORD_BYTES", 200)
    lines = [b"%d,x" % i for i in range(500)]
    lines[100] = b'100,"x'
    found = records(b"\n".join(lines), block_bytes=64)
    assert [line for line, _, _ in found] == list(range(1, 501))
    assert [record for _, record, closed in found if not closed] == [b'100,"x']


def test_a_record_may_be_longer_than_a_block():
    data = b'a\n"' + b"x\n" * 500 + b'"\nb\n'
    assert [line for line, *_ in records(data, block_bytes=64)] == [1, 2, 503]


def test_a_record_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(csv_blocks, "MAX_RECORD_BYTES", 200)
    with pytest.raises(DataError, match="longer than 200 bytes") as caught:
        records(b"a\nb\n" + b"x" * 1000, block_bytes=64)
    assert caught.value.where == "memory.csv:3"


def test_one_line_is_one_record_where_values_hold_no_line_ends():
    data = b'a,"b,""c"\n1,"2\n3"\n4,"5"\n'
    assert records(data, LINES) == [
        (1, b'a,"b,""c"', True),
        (2, b'1,"2', False),
        (3, b'3"', True),
        (4, b'4,"5"', True),
    ]


def test_closed_records_blanks_out_the_others():
    (block,) = blocks(b'1,2\n3,"4\n5,6\n')
    assert block.closed_records() == b"1,2\n" + b"\n" * 5 + b"5,6\n"
    assert len(block.closed_records()) == len(block.data)


def test_the_block_without_its_header():
    (block,) = blocks(b'\n"a\nb",c\n\n1,2\n3,4\n')
    rest = block.without_first()
    assert [(rest.line_of(i), rest.record(i)) for i in range(len(rest))] == [
        (5, b"1,2"),
        (6, b"3,4"),
    ]


def test_read_records_skips_the_header_of_a_file(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"a\n")
    assert list(read_records(str(path), COMMA)) == []
    path.write_bytes(b"a\n1\n2\n")
    (block,) = read_records(str(path), COMMA)
    assert (len(block), block.line) == (2, 2)


def test_gzip_is_unpacked(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n2\n"))
    (block,) = read_records(str(path), COMMA)
    assert block.data == b"1\n2\n"


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:12]])
def test_a_damaged_gzip_file_is_named(tmp_path, damage):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(damage(gzip.compress(bytes(range(256)) * 100)))
    with pytest.raises(DataError, match="cannot be read") as caught:
        list(read_records(str(path), COMMA))
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("name", "says"), [("", "Is a directory"), ("missing.csv", "No such file")]
)
def test_a_file_that_cannot_be_opened_is_named(tmp_path, name, says):
    path = str(tmp_path / name)
    with pytest.raises(DataError, match=says) as caught:
        ByteSource(path).read(1)
    assert caught.value.where == path


SOUP = st.text(st.sampled_from('",\n\r a'), max_size=60)


@settings(deadline=None)
@given(SOUP, st.integers(4, 20))
@example('"a"\r\n1', 4)
@example('""",\n"\n"', 4)
def test_any_text_is_parted_as_python_does(text, block_bytes):
    found = records(text.encode(), block_bytes=block_bytes)
    assume(all(closed for *_, closed in found))  # Python adds the rest to the open quote
    assert [(line, values(record)) for line, record, _ in found] == python_records(text)


@settings(deadline=None)
@given(SOUP, st.integers(4, 20), st.sampled_from([COMMA, LINES]))
def test_blocks_change_nothing_and_lose_nothing(text, block_bytes, dialect):
    data = text.encode()
    found = records(data, dialect, block_bytes)
    assert found == records(data, dialect)
    kept = b"".join(block.data for block in blocks(data, dialect, block_bytes))
    assert kept.replace(b"\r", b"\n").replace(b"\n", b"") == data.replace(b"\r", b"").replace(
        b"\n", b""
    )


@settings(deadline=None)
@given(SOUP, st.sampled_from([COMMA, LINES, COMMENTS]), st.booleans())
@example('a,"b"\n1,"",2\n', COMMENTS, True)
def test_counting_quotes_finds_the_same_records(text, dialect, final):
    data = text.encode()
    ends = csv_blocks._record_ends(data, dialect, final=final)
    assume(ends is not None)
    exact, closed = csv_blocks._record_ends_exactly(data, dialect, final=final)
    assert np.array_equal(ends, exact)
    assert all(closed)
