"""Slices: which values get one, and which row belongs to which."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluate import slices
from components.evaluate.slices import Slicing, choose_slices, commonest
from components.examples import ShardWriter, arrow_schema
from schemas.columns import Column
from tests.columns import column_of

TEXT = Column("pay", "BYTES", True)
HOUR = Column("hour", "INT", True)
FARE = Column("fare", "FLOAT", True)


def write_split(root, columns, values, batch_rows=2):
    schema = arrow_schema(columns)
    path = str(root / "Split-test" / "data-0.parquet")
    with ShardWriter(path, schema, batch_rows=batch_rows) as shard:
        shard.write(pa.table(values, schema=schema))
    return str(root)


def batch_of(column, values):
    return pa.RecordBatch.from_arrays(
        [pa.array(values, arrow_schema([column]).field(0).type)], [column.name]
    )


def test_the_most_common_values_of_all_batches_come_first(tmp_path):
    root = write_split(
        tmp_path,
        [TEXT, HOUR],
        {
            "pay": ["Kreditkarte ¤", "cash", None, "cash", "", "cash"],
            "hour": [3, 3, 7, None, 7, 7],
        },
    )
    by_pay, by_hour = choose_slices(root, "test", [TEXT, HOUR])
    assert by_pay.names == (
        ("cash", "value"),
        ("Kreditkarte ¤", "value"),
        ("(missing)", "missing"),
        ("(other)", "other"),
    )
    assert by_hour.values == (7, 3)


def test_no_columns_need_no_reading():
    assert choose_slices("nowhere", "test", []) == ()


def test_a_row_belongs_to_its_value_or_to_the_others():
    slicing = Slicing(TEXT, ("cash", "é"))
    # text that is empty is missing, as in the transform graph; text that looks like ours is not
    rows = batch_of(TEXT, ["é", "cash", "", None, "card", "(missing)", "cash"])
    assert slicing.codes(rows).tolist() == [1, 0, 2, 2, 3, 3, 0]


def test_floats_slice_by_value_and_print_as_written(tmp_path):
    root = write_split(tmp_path, [FARE], {"fare": [0.1, float("nan"), 0.1, None, 2.5]})
    (slicing,) = choose_slices(root, "test", [FARE])
    assert [name for name, _ in slicing.names] == ["0.1", "2.5", "(missing)", "(other)"]
    assert slicing.codes(batch_of(FARE, [2.5, np.nan, 0.1, 7.0])).tolist() == [1, 2, 0, 3]


def test_both_zeros_are_one_value(tmp_path):
    root = write_split(tmp_path, [FARE], {"fare": [-0.0, 0.0, -0.0]})
    (slicing,) = choose_slices(root, "test", [FARE])
    assert [name for name, _ in slicing.names] == ["0.0", "(missing)", "(other)"]
    assert slicing.codes(batch_of(FARE, [0.0, -0.0])).tolist() == [0, 0]


def test_a_column_without_any_value_is_missing(tmp_path):
    root = write_split(tmp_path, [TEXT], {"pay": [None, None, ""]})
    (slicing,) = choose_slices(root, "test", [TEXT])
    assert slicing.values == ()
    assert slicing.codes(batch_of(TEXT, [None, "x"])).tolist() == [0, 1]


def test_only_the_most_common_values_have_a_slice():
    counts = Counter({value: value for value in range(1, 151)})
    chosen = commonest(counts)
    assert chosen == tuple(range(150, 50, -1))


def test_equally_common_values_are_sorted():
    counts = Counter(dict.fromkeys(reversed(range(150)), 2))
    assert commonest(counts) == tuple(range(100))


def test_an_identifier_costs_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(slices, "_MAX_COUNTED", 10)
    hours = [0, *range(1, 20), 0, *range(20, 40), 0]
    root = write_split(tmp_path, [HOUR], {"hour": hours}, batch_rows=8)
    (slicing,) = choose_slices(root, "test", [HOUR])
    assert len(slicing.values) <= 10
    assert slicing.values[0] == 0


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (TEXT, st.none() | st.text(max_size=3)),
        (HOUR, st.none() | st.integers(-(2**63), 2**63 - 1)),
        (FARE, st.none() | st.floats(width=32)),
    ],
    ids=["BYTES", "INT", "FLOAT"],
)
def test_every_row_is_in_exactly_its_own_slice(column, values):
    @given(st.lists(values, min_size=1, max_size=30), st.integers(0, 30))
    def holds(rows, start):
        # a slice of a longer batch: text in it does not begin where its buffer does
        batch = batch_of(column, rows).slice(start)
        read = [None if v == "" or v != v else v for v in batch.column(0).to_pylist()]
        slicing = Slicing(column, tuple({v for v in read if v is not None}))
        by_code = (*slicing.values, None)
        assert [by_code[code] for code in slicing.codes(batch)] == read

    holds()


def test_slices_of_times_and_booleans_are_named_as_requests_write_them():
    day = Slicing(column_of("TIME_TEXT", "%d.%m.%Y"), (0, 86_400_000_000))
    assert [name for name, _ in day.names][:2] == ["01.01.1970", "02.01.1970"]
    assert Slicing(column_of("TIME", "UNIX_DAYS"), (86_400_000_000,)).names[0] == ("1", "value")
    assert Slicing(column_of("BOOL_TEXT"), ("yes",)).names[0] == ("yes", "value")
