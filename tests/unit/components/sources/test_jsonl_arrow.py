"""What pyarrow reads of JSON lines is what reading them one by one gives, for any bytes."""

import io

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from components.sources import jsonl_arrow
from components.sources.jsonl_arrow import certain_rows
from components.sources.jsonl_exact import exact_rows
from components.sources.jsonl_lines import read_lines
from components.sources.jsonl_parse import parse
from components.sources.jsonl_rows import JsonRules
from components.sources.protocol import Needs, Selection
from schemas.columns import Column
from schemas.sources.jsonl import JsonLines

COLUMNS = (
    Column("n", "INT", True),
    Column("x", "FLOAT", True),
    Column("a.t", "BYTES", True),
    Column("a.b.n", "INT", True),
    Column("o", "BOOL", True),
    Column("w", "BOOL_TEXT", True, ("yes", "no")),
    Column("u", "TIME", True, ("UNIX_SECONDS",)),
    Column("d", "TIME_TEXT", True, ("%Y-%m-%d",)),
    Column("l", "INT", True, most=3),
    Column("f", "FLOAT", True, most=3),
    Column("a.m", "BYTES", True, most=2),
    Column("v", "BOOL", True, most=2),
)
KEY = Column("k", "BYTES", True)
ALL = Selection(COLUMNS, Needs(("x",)), (KEY,))
OPTIONS = JsonLines(path="", null_values=("?",), trim=True)
SEEN = st.tuples(
    *(st.just(float),) * 2,
    *(st.just(str), st.just(int)),
    *(st.sampled_from([bool, int]), st.sampled_from([bool, str])),
    *(st.just(int), st.just(str)),
    *(st.sampled_from([int, float]), st.just(float), st.just(str), st.sampled_from([bool, int])),
    st.sampled_from([int, str]),
)

NUMBERS = ["0", "-0", "-0.0", "1", "-7", "2.5", "3.0", "1e2", "16777217", "0.99999999999999999999"]
NUMBERS += ["1E+400", "1e39", "1e-400", "5e-324", "9007199254740992", "9007199254740993"]
NUMBERS += ["9007199254740991.5", "123456789012345678901234567890", "01", "+1", "1.", ".5", "0x1"]
NUMBERS += ["NaN", "Infinity", "-Infinity", "Inf", "-NaN", "nan"]
TEXTS = ['"a"', '""', '"?"', '" ? "', '" a "', '"é"', '"\t"', '"\x7f"', '"} null {"', '"Inf "', '"']
TEXTS += [r'"\u0000"', r'"\ud83d\ude00"', r'"\ud800"', r'"\udc00"', r'"\q"', r'"\""', r'"\/"']
NAMES = [
    "l",
    "f",
    "m",
    "v",
    "o",
    "w",
    "u",
    "d",
    "n",
    "x",
    "a",
    "a.t",
    "t",
    "b",
    "k",
    "a.b",
    "a.b.n",
    "z",
    "\\u006e",
    "\\u0061",
]

SCALARS = st.sampled_from([*NUMBERS, *TEXTS, "null", "true", "nul", "[]", "{}"])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f'"{name}":{value}' for name, value in pairs) + "}"
        ),
        st.lists(inner, max_size=3).map(lambda values: "[" + ",".join(values) + "]"),
    ),
    max_leaves=8,
)
PROPER = st.fixed_dictionaries(  # what pyarrow reads
    {},
    optional={
        '"n"': st.sampled_from(["0", "3.0", "-0", "null", "9007199254740991"]),
        '"x"': st.sampled_from(["0.1", "-0.0", "NaN", "null", "16777217", "1e-400"]),
        '"a"': st.sampled_from(['{"t": "é"}', '{"b": {"n": 1}}', "null", "{}", '{"t": "?"}']),
        '"a.t"': st.sampled_from(['"b"', "null"]),
        '"k"': st.sampled_from(["1", "null"]),
        '"o"': st.sampled_from(["true", "false", "null", "1", "0", "2"]),
        '"w"': st.sampled_from(["true", "false", "null", '"yes"', '"no "', '"?"', '"maybe"']),
        '"u"': st.sampled_from(["0", "1.5e9", "-1", "null", "9007199254740992"]),
        '"d"': st.sampled_from(['"2026-11-21"', '" 1970-01-01"', '"?"', '"2023-02-30"', "null"]),
        '"l"': st.sampled_from(["[]", "[1]", "[1, 2.0]", "[1, null]", "null", "[1,2,3,4]", "[-0]"]),
        '"f"': st.sampled_from(
            ["[0.5]", "[-0.0]", "[NaN]", "[1e39]", "[9007199254740993]", "[-0]"]
        ),
        '"a.m"': st.sampled_from(['["a"]', '["?"]', '[" é ", "b"]', '[""]', "[[]]", "null"]),
        '"v"': st.sampled_from(["[true]", "[0, 1]", "[true, 1]", "[2]", "[]"]),
        '"z"': SCALARS,
    },
).map(lambda pairs: "{" + ",".join(f"{name}: {value}" for name, value in pairs.items()) + "}")
SPACES = st.sampled_from(["", "", " ", "\r", "\t", "\ufeff", "\0", "}", "]", ",", " null "])
LINES = st.one_of(
    PROPER, st.tuples(SPACES, TREES, SPACES, st.just("") | TREES, SPACES).map("".join)
)


class Memory(io.BytesIO):
    path = "memory.jsonl"


def by_line(rows):
    """Return rows by their lines; floats as text, in which -0.0 is not 0.0."""
    values = ([str(value) for value in row.values()] for row in rows.columns.to_pylist())
    return dict(zip(rows.at.tolist(), values, strict=True))


@given(
    st.lists(LINES | st.binary(max_size=9), min_size=1, max_size=12),
    st.sampled_from([1, 3, 512]),
    st.sampled_from([2, 1000]),
    SEEN,
)
@example(['{"x": 1}', "null", '{"x": 2} null {}'], 1, 1000, ())
@example(['{"x": 1}}', '{"x": 2}'], 512, 1000, ())
@example(['{"x":', "1}", '{"x": 1}{"x": 2}'], 512, 1000, ())
@example(['{"x": 1, "z": {}', "}", '{"x": 1} {"x": 2}'], 512, 1000, ())
@example(['{"x": -0}', '{"x": -0.0}', '{"x": 0}'], 512, 1000, ())
def test_pyarrow_s_values_are_the_exact_ones(lines, few, most, seen):
    rules = JsonRules(OPTIONS, ALL, seen)
    text = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    for block in read_lines(Memory(text), block_bytes=1 << 20):
        try:
            jsonl_arrow._FEW, jsonl_arrow._MAX_ROWS = few, most
            certain = certain_rows(block, rules)
        finally:
            jsonl_arrow._FEW, jsonl_arrow._MAX_ROWS = 512, 50_000
        exact, rejects = exact_rows(block, np.arange(len(block)), "", rules)
        assert len(exact.at) + len(rejects) == len(block)
        expected = by_line(exact)
        for rows in certain:
            assert by_line(rows).items() <= expected.items()
        whole = parse(block, "", rules)
        assert whole.columns.equals(exact.columns)
        assert whole.places.tolist() == block.numbers[exact.at].tolist()
        assert whole.rejects == rejects


def test_pyarrow_reads_ordinary_lines_beside_bad_ones():
    good = (
        b'{"n": 1, "x": NaN, "a": {"t": "b", "b": {"n": 2}}, "o": true, "w": "no", "u": 5,'
        b' "d": "1970-01-02", "l": [3, 4], "z": [{"y": 1}, "Info"], "k": 5}\n'
    )
    row: dict[str, object] = {
        "n": 1,
        "x": None,
        "a.t": "b",
        "a.b.n": 2,
        "o": 1,
        "w": "no",
        "u": 5_000_000,
    }
    row |= {"d": 86_400_000_000, "l": [3, 4], "f": None, "a.m": None, "v": None, "k": "5"}
    seen = (int, float, str, int, bool, str, int, str, int, float, str, bool, int)
    rules = JsonRules(OPTIONS, Selection(COLUMNS, keys=(KEY,)), seen)
    bad_ones = (b"no", b'{"x": "1"}', b'{"x": -0.0}', b'{"n": 1} null {}', b'{"z": "\xff"}')
    for bad in bad_ones:
        data = good * 600 + bad + b"\n" + good * 600
        (block,) = read_lines(Memory(data), block_bytes=1 << 20)
        certain = certain_rows(block, rules)
        read = sum(len(rows.at) for rows in certain)
        assert 1200 - 512 <= read <= 1200
        assert certain[0].columns.slice(0, 1).to_pylist() == [row]
