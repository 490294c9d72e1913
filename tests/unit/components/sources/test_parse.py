"""Blocks of CSV → examples and rejects: what is read, what is refused, and its position."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sources import parse as parse_module
from components.sources.csv_blocks import read_blocks
from components.sources.header import Fields
from components.sources.parse import parse
from components.sources.protocol import Needs, Selection
from components.sources.rules import Rules
from schemas.columns import Column
from schemas.errors import DataError
from schemas.sources.csv import Csv

COLUMNS = (Column("n", "INT", True), Column("x", "FLOAT", True), Column("t", "BYTES", True))


class Memory(io.BytesIO):
    path = "memory.csv"


def read(data, *, columns=COLUMNS, required=("t",), block_bytes=1 << 20, **source):
    """Return examples as rows, and rejects as (line, column, value, reason, record)."""
    rules = Rules.of(Csv(path="memory.csv", **source), Selection(columns, Needs(required)))
    names, examples, rejects = None, [], []
    for block in read_blocks(Memory(data), rules.dialect, block_bytes=block_bytes):
        if names is None:
            names = block.record(0).decode().split(source.get("delimiter", ","))
            block = block.without_first()
            wanted = [c.name for c in columns]
            fields = Fields(
                path="memory.csv",
                count=len(names),
                positions=tuple(names.index(n) for n in wanted),
                ignored=tuple(n for n in names if n not in wanted),
                rows=0,
                text_bytes=0,
            )
        parsed = parse(block, fields, rules)
        assert parsed.columns.num_rows + len(parsed.rejects) == len(block) == parsed.read
        assert len(parsed.places) == parsed.columns.num_rows
        examples += [tuple(row.values()) for row in parsed.columns.to_pylist()]
        rejects += [row[1:] for row in (r.row() for r in parsed.rejects)]
    return examples, rejects


def test_rows_are_typed():
    assert read(b"n,x,t\n1,2.5,a\n-3,4,b c\n") == ([(1, 2.5, "a"), (-3, 4.0, "b c")], [])


def test_columns_come_in_the_schemas_order_whatever_the_files():
    assert read(b"t,ignored,n,ignored,x\na,?,1,,2.5\n") == ([(1, 2.5, "a")], [])


def test_empty_fields_quoted_or_not_are_missing():
    assert read(b'n,x,t\n,,a\n"","",b\n1,NaN,c\n') == (
        [(None, None, "a"), (None, None, "b"), (1, None, "c")],
        [],
    )


def test_null_values_are_missing_in_every_column():
    data = b"n,x,t,u\n?,NA,a,?\n1,?,b,NA\n,2,c,x\n"
    columns = (*COLUMNS, Column("u", "BYTES", True))
    assert read(data, columns=columns, null_values=("?", "NA")) == (
        [(None, None, "a", None), (1, None, "b", None), (None, 2.0, "c", "x")],
        [],
    )


def test_spaces_are_kept_unless_trimmed():
    examples, rejects = read(b"t,n,x\n a ,1,2\nb, 1,2\n")
    assert examples == [(1, 2.0, " a ")]
    assert rejects == [(3, "n", " 1", "not_an_integer", "b, 1,2")]


def test_trimmed_spaces():
    data = b"t,n,x\na,\t1 , 2.5\n b c , ? ,?\n"
    assert read(data, trim=True, null_values=(" ?",)) == ([(1, 2.5, "a"), (None, None, "b c")], [])


def test_another_delimiter():
    assert read(b"n|x|t\n1|2|a,b\n", delimiter="|") == ([(1, 2.0, "a,b")], [])
    assert read(b"n\tx\tt\n1\t2\ta b\n", delimiter="\t") == ([(1, 2.0, "a b")], [])


def test_quoted_values():
    data = b'n,x,t\n"1","2.5","a, ""b""\nc"\n2,3,5" pipe\n3,4,"""d"""\n'
    assert read(data) == ([(1, 2.5, 'a, "b"\nc'), (2, 3.0, '5" pipe'), (3, 4.0, '"d"')], [])


def test_every_reason_with_its_place():
    data = b"\n".join(
        [
            b"n,x,t",
            b"1,2.5,a",  # 2
            b"",
            b"1,2",  # 4
            b'1,2,"a',
            b'b"',
            b"1.5,2,a",  # 7
            b"1,two,a",
            b"1,inf,a",
            b"9007199254740993,2,a",
            b"1,2,",
            b"1,2,a\0b",
            b"1,2,\xff\xfe",
            b"1,2,a,b",
            b"one,two,",
            b'1,2,"never closed',
            b"5,6,b",  # 17
        ]
    )
    examples, rejects = read(data)
    assert examples == [(1, 2.5, "a"), (1, 2.0, "a\nb"), (5, 6.0, "b")]
    assert rejects == [
        (4, None, "2 fields; the header has 3", "wrong_field_count", "1,2"),
        (7, "n", "1.5", "not_an_integer", "1.5,2,a"),
        (8, "x", "two", "not_a_number", "1,two,a"),
        (9, "x", "inf", "not_finite", "1,inf,a"),
        (10, "n", "9007199254740993", "integer_beyond_2_53", "9007199254740993,2,a"),
        (11, "t", None, "missing_label", "1,2,"),
        (12, "t", "a\0b", "contains_nul", "1,2,a\0b"),
        (13, "t", "\ufffd\ufffd", "not_utf8", "1,2,\\xff\\xfe"),
        (14, None, "4 fields; the header has 3", "wrong_field_count", "1,2,a,b"),
        (15, "n", "one", "not_an_integer", "one,two,"),
        (16, None, None, "unclosed_quote", '1,2,"never closed'),
    ]


def test_a_label_that_is_nan_is_missing():
    assert read(b"n,x,t\n1,NaN,a\n,2,a\n1,2,\n", required=("x", "n")) == (
        [(1, 2.0, None)],
        [
            (2, "x", "NaN", "missing_label", "1,NaN,a"),
            (3, "n", None, "missing_label", ",2,a"),
        ],
    )


def test_bytes_that_are_not_text_do_not_matter_in_ignored_columns():
    assert read(b"n,x,t,other\n1,2,a,\xff\n") == ([(1, 2.0, "a")], [])
    assert read(b"n,x,t,other\n1,2,a,\0\n") == ([(1, 2.0, "a")], [])


def test_a_wrong_field_count_in_bytes_that_are_not_text():
    assert read(b"n,x,t\n\xff\n1,2,a\n") == (
        [(1, 2.0, "a")],
        [(2, None, "1 fields; the header has 3", "wrong_field_count", "\\xff")],
    )


def test_long_records_and_values_are_cut():
    long = "é" * 3000
    ((_, _, value, _, record),) = read(f"n,x,t\n{long},2,a\n".encode())[1]
    assert value == record == "é" * 2000


def test_one_column():
    columns = (Column("t", "BYTES", True),)
    assert read(b't\na\n\n""\nb\n', columns=columns) == (
        [("a",), ("b",)],
        [(4, "t", None, "missing_label", '""')],
    )


def test_a_block_with_nothing_but_rejects():
    examples, rejects = read(b'n,x,t\n"a\n')
    assert examples == []
    assert rejects == [(2, None, None, "unclosed_quote", '"a')]
    assert [r[3] for r in read(b"n,x,t\n1\n2\n")[1]] == ["wrong_field_count"] * 2


def test_no_line_ends_in_values_where_there_are_none():
    examples, rejects = read(b'n,x,t\n1,2,"a\n3,4,b"\n5,6,"c"\n', newlines_in_values=False)
    assert examples == [(3, 4.0, 'b"'), (5, 6.0, "c")]
    assert rejects == [(2, None, None, "unclosed_quote", '1,2,"a')]


def test_a_disagreement_about_records_is_reported(monkeypatch):
    real = parse_module._read_csv
    monkeypatch.setattr(parse_module, "_read_csv", lambda *a: real(*a).slice(1))
    with pytest.raises(DataError, match="2 records were read as 1") as caught:
        read(b"n,x,t\n1,2,a\n3,4,b\n")
    assert "a bug in skewless" in str(caught.value)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_byte_order_mark_is_the_files_only_at_its_start(mark):
    rows, rejects = read(
        mark + "t,n,x\n\ufeffa,1,2\n\ufeff,3,4\n".encode(),
        columns=(COLUMNS[2], COLUMNS[0]),
        block_bytes=8,
    )
    assert (rows, rejects) == ([("\ufeffa", 1), ("\ufeff", 3)], [])


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12)
)


@settings(deadline=None)
@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    terminator=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    bom=st.booleans(),
    block_bytes=st.sampled_from([8, 32, 1 << 20]),
)
def test_what_pythons_csv_module_writes_is_read_exactly(
    table, delimiter, terminator, quoting, bom, block_bytes
):
    if terminator == "\n" and quoting == csv.QUOTE_MINIMAL:
        # before Python 3.13 it leaves a CR unquoted then, and does not read its own output
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    width = len(table[0]) if table else 1
    names = [f"c{i}" for i in range(width)]
    columns = tuple(Column(n, "BYTES", True) for n in names)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=terminator, quoting=quoting)
    out.write(delimiter.join(names) + terminator)
    lines = []
    for row in table:
        lines.append(_lines(out.getvalue()))
        writer.writerow(row)
    data = b"\xef\xbb\xbf" * bom + out.getvalue().encode()

    examples, rejects = read(
        data, columns=columns, required=("c0",), delimiter=delimiter, block_bytes=block_bytes
    )

    labelled = [row for row in table if row[0] != ""]
    assert examples == [tuple(cell or None for cell in row) for row in labelled]
    assert [r[:4] for r in rejects] == [
        (line, "c0", None, "missing_label")
        for line, row in zip(lines, table, strict=True)
        if row[0] == ""
    ]


def _lines(text):
    """Return the number of the line after this text."""
    return 1 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@settings(deadline=None)
@given(st.text(st.sampled_from('",\n\ra1.'), max_size=80), st.sampled_from([8, 1 << 20]))
def test_any_text_is_read_as_python_reads_it_or_rejected(text, block_bytes):
    columns = (Column("a", "INT", True), Column("b", "BYTES", True))
    data = b"a,b\n" + text.encode()
    examples, rejects = read(data, columns=columns, required=("b",), block_bytes=block_bytes)
    if any(reason == "unclosed_quote" for *_, reason, _ in rejects):
        return
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert len(rows) == len(examples) + len(rejects)
    counts = sum(reason == "wrong_field_count" for *_, reason, _ in rejects)
    assert counts == sum(len(row) != 2 for row in rows)
    good = [row for row in rows if len(row) == 2 and row[1] and _is_integer(row[0])]
    assert examples == [(int(float(a)) if a else None, b) for a, b in good]


def _is_integer(text):
    whole, _, fraction = text.partition(".")
    return not text or (whole.isdigit() and set(fraction) <= {"0"})


def test_examples_have_the_type_that_examples_have():
    rules = Rules.of(Csv(path=""), Selection(COLUMNS, Needs(("t",))))
    (block,) = read_blocks(Memory(b"1,2,a\n"), rules.dialect)
    fields = Fields("memory.csv", (), 1, 6, 3, (0, 1, 2))
    assert parse(block, fields, rules).columns.schema == pa.schema(
        [("n", pa.int64()), ("x", pa.float32()), ("t", pa.string())]
    )
