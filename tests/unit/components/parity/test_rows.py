"""The rows that the proof asks about."""

import math
import os

import numpy as np
import pyarrow as pa
import pytest

from components.examples import ShardWriter, arrow_schema, split_folder
from components.parity.changes import ADVERSARIAL_ROWS
from components.parity.rows import make_rows, sample_rows
from components.parity.values import adversarial_values, is_plain, readable
from schemas.columns import Column

HOUR = Column("hour", "INT", True)
FARE = Column("Fare ($)", "FLOAT", True)
COMPANY = Column("company", "BYTES", True)
TIPS = Column("tips", "FLOAT", False)
SERVING = (HOUR, FARE, COMPANY)
COLUMNS = (*SERVING, TIPS)


@pytest.fixture
def examples(tmp_path):
    """A function that writes a test split of so many rows, four a row group, three a shard.

    The other splits have a row each.
    """

    def write(rows):
        schema = arrow_schema(COLUMNS)
        for split in ("eval", "train"):
            path = os.path.join(split_folder(str(tmp_path), split), "rows.parquet")
            with ShardWriter(path, schema, batch_rows=4) as writer:
                row = {"hour": [-1], "Fare ($)": [-1.0], "company": [split], "tips": [1.0]}
                writer.write(pa.Table.from_pydict(row, schema))
        for start in range(0, max(rows, 1), 12):
            path = os.path.join(split_folder(str(tmp_path), "test"), f"rows-{start:04}.parquet")
            numbers = list(range(start, min(start + 12, rows)))
            columns = {
                "hour": numbers,
                "Fare ($)": [n + 0.5 for n in numbers],
                "company": [None if n == 1 else f"Cö {n}" for n in numbers],
                "tips": [1.0] * len(numbers),
            }
            with ShardWriter(path, schema, batch_rows=4) as writer:
                writer.write(pa.Table.from_pydict(columns, schema))
        return str(tmp_path)

    return write


def hours(batch):
    return batch.column(0).to_pylist()


@pytest.mark.parametrize(
    ("rows", "count", "expected"),
    [
        (30, 100, list(range(30))),
        (30, 30, list(range(30))),
        (30, 5, [0, 6, 12, 18, 24]),
        (30, 1, [0]),
        (0, 10, []),
    ],
)
def test_real_rows_are_spread_evenly_over_the_split(examples, rows, count, expected):
    assert hours(sample_rows(examples(rows), "test", COLUMNS, count)) == expected


def test_of_a_large_split_only_some_batches_are_read(examples):
    sample = hours(sample_rows(examples(400), "test", COLUMNS, 400))

    assert len(sample) == 16 * 4
    assert sample[0] < 4
    assert sample[-1] >= 360


def test_missing_values_and_their_stand_ins_stay_different(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 12)
    fares = rows.batch.column(1)

    assert rows.batch.column(2)[1].as_py() is None
    assert b"" in rows.batch.column(2).to_pylist()
    assert fares.null_count
    assert any(value is not None and math.isnan(value) for value in fares.to_pylist())


def test_every_row_has_a_name_and_the_real_ones_come_first_as_they_are(examples):
    folder = examples(12)
    rows = make_rows(folder, COLUMNS, SERVING, 5)

    assert rows.real == {"test": 5, "eval": 0, "train": 0}
    assert rows.names[:6] == (*(f"test row {i}" for i in range(5)), "real row 0 without 'hour'")
    assert len(rows.names) == rows.batch.num_rows == 5 + rows.adversarial_rows
    assert len(set(rows.names)) == len(rows.names)
    assert hours(rows.batch)[:5] == hours(sample_rows(folder, "test", COLUMNS, 5))
    assert rows.batch.schema.names == ["hour", "Fare ($)", "company", "tips"]


def test_each_column_is_left_out_of_some_rows_that_are_otherwise_real(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 6)

    assert list(rows.without) == [("hour",), ("Fare ($)",), ("company",)]
    for number, ((column,), at) in enumerate(rows.without.items()):
        lacking = rows.batch.slice(at.start, at.stop - at.start).to_pylist()
        real = rows.batch.slice(0, 4).to_pylist()
        assert at.start == 6 + 4 * number
        assert lacking == [{**row, column: None} for row in real]


def test_each_adversarial_value_has_a_row_of_its_own(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 6)
    table = rows.batch.to_pydict()
    named = dict(zip(rows.names, range(len(rows.names)), strict=True))

    assert table["Fare ($)"][named["real row 1 with 'Fare ($)' = inf"]] == math.inf
    assert table["hour"][named["real row 1 with 'Fare ($)' = inf"]] == 2
    assert table["hour"][named["real row 0 with 'hour' = 9007199254740992"]] == 2**53
    assert table["company"][named["real row 2 with 'company' = 'nul\\x00inside'"]] == (
        b"nul\x00inside"
    )
    everything = named["every column missing"]
    assert [table[c.name][everything] for c in COLUMNS] == [None, None, None, 1.0]
    only_hour = named["every column but 'hour' missing"]
    assert [table[c.name][only_hour] for c in COLUMNS] == [0, None, None, 1.0]


def test_without_a_test_split_the_adversarial_rows_remain(examples):
    rows = make_rows(examples(0), COLUMNS, SERVING, 6)

    assert rows.real == {"test": 0, "eval": 1, "train": 1}
    assert rows.adversarial_rows >= ADVERSARIAL_ROWS


def test_real_rows_come_from_the_test_split_first(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 13)

    assert rows.real == {"test": 12, "eval": 1, "train": 0}
    assert rows.names[11:13] == ("test row 11", "eval row 0")
    assert rows.real_rows == 13


def test_boundaries_among_real_values_are_tried_with_their_neighbours(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 12, {"Fare ($)": [2.5, 99.0]})
    fares = set(rows.batch.column(1).to_pylist())

    below = float(np.nextafter(np.float32(2.5), np.float32(0)))
    assert {2.5, below} < fares
    assert 99.0 not in fares


def test_the_same_examples_give_the_same_rows(examples):
    folder = examples(12)
    one, two = (make_rows(folder, COLUMNS, SERVING, 12) for _ in range(2))

    assert one.names == two.names
    assert one.adversarial_rows >= ADVERSARIAL_ROWS
    assert str(one.batch.to_pylist()) == str(two.batch.to_pylist())


def test_rows_that_files_cannot_contain_are_recognized(examples):
    rows = make_rows(examples(12), COLUMNS, SERVING, 12)
    plain = rows.plain(SERVING)

    assert plain[:12].all()
    for row, fits in zip(rows.batch.to_pylist(), plain, strict=True):
        assert fits == all(is_plain(row[c.name]) for c in SERVING)
    assert not plain.all()


@pytest.mark.parametrize(
    ("column", "seen", "near"),
    [
        (COMPANY, [None, b"Cash"], [b" Cash", b"Cash ", b"Cash\x00", b"cASH", b"cash", b"Cas"]),
        (HOUR, [None, 41], [42, 40, -41]),
        (HOUR, [2**53], [2**53 - 1]),
        (FARE, [1.0], [float(np.nextafter(np.float32(1), np.float32(2)))]),
        (FARE, [None], []),
    ],
)
def test_adversarial_values_are_near_real_ones_too(column, seen, near):
    values = adversarial_values(column, seen)

    assert all(value in values for value in near)
    assert len(set(map(repr, values))) == len(values)
    if column == HOUR:
        assert max(map(abs, values)) <= 2**53


@pytest.mark.parametrize("end", [2**53, -(2**53), 2**53 - 1, 1e30, -1e30])
def test_no_integer_is_larger_than_ingest_takes(end):
    values = adversarial_values(HOUR, [7], [float(end)])

    assert max(map(abs, values)) == 2**53


def test_numbers_that_some_threads_treat_as_zero_are_tried():
    tiny = float(np.finfo(np.float32).tiny)
    values = adversarial_values(FARE, [])

    assert {v for v in values if 0 < abs(v) < tiny} == {tiny / 2, -tiny / 2, 2.0**-149}


def test_adversarial_values_include_known_difficult_ones():
    floats = adversarial_values(FARE, [])
    texts = adversarial_values(COMPANY, [])

    assert any(math.isnan(v) for v in floats)
    assert {math.inf, -math.inf, 2.0**53, -(2.0**53)} < set(floats)
    assert float(np.finfo(np.float32).max) in floats
    assert {2**53, -(2**53), 0, -1} < set(adversarial_values(HOUR, []))
    assert b"" in texts
    assert max(map(len, texts)) == 100_000
    for part in (b"\x00", b"\n", b"\x1f", b"\xff", "日本".encode(), b" "):
        assert any(part in text for text in texts), part


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"),
        (12.5, "12.5"),
        (float("nan"), "nan"),
        (b"", "''"),
        (b"nan", "'nan'"),
        ("naïve\n".encode(), r"'naïve\n'"),
        (b"\xff", r"b'\xff'"),
        (b"x" * 1000, "'" + "x" * 59 + "… (1,000 bytes)"),
    ],
)
def test_values_are_readable_and_unlike_ones_look_unlike(value, text):
    assert readable(value) == text
