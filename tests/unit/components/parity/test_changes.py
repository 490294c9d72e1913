"""The changes in the adversarial rows, of few columns and of many."""

import collections
import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.parity.changes import ADVERSARIAL_ROWS, Change, changed_row, changed_rows
from components.parity.rows import rows_of
from components.parity.values import adversarial_values
from tests.columns import column_of
from tests.unit.components.parity.wide import columns_of, table

MISSING = object()


def changed(columns, boundaries=None):
    """Return the table and the changed values of its adversarial rows."""
    real = table(columns)
    rows = changed_rows(real, columns, boundaries or {})
    values = [{k: v for change in row.changes for k, v in change.values.items()} for row in rows]
    return real, rows, values


@settings(max_examples=8)
@given(st.integers(1, 90))
@example(500)
def test_every_column_and_every_pair_is_missing_in_some_row(count):
    columns = columns_of(count)
    _, _, values = changed(columns)
    missing = np.array([[v.get(c.name, MISSING) is None for c in columns] for v in values], float)

    assert (missing.T @ missing >= 1).all()  # and each together with columns that are present:
    few = missing[missing.sum(axis=1) <= max(2, 0.7 * count)]
    assert (few.T @ few >= 1).all()
    together = few.T @ (1 - few)
    np.fill_diagonal(together, 1)
    assert (together >= 1).all()


@settings(max_examples=8)
@given(st.integers(1, 90))
@example(500)
def test_every_two_columns_of_a_kind_have_each_others_values_in_some_row(count):
    columns = columns_of(count)
    real, rows, values = changed(columns)
    first = {name: value for name, (value, *_) in real.to_pydict().items()}
    swapped = set()
    for row, new in zip(rows, values, strict=True):
        if row.base == 0:
            owners = {first[name]: name for name in first}
            taken = {name: owners[v] for name, v in new.items() if v in owners and v is not None}
            swapped |= {(a, b) for a, b in taken.items() if a < b and taken.get(b) == a}

    kinds = collections.defaultdict(list)
    for column in columns:
        kinds[column.kind].append(column.name)
    expected = {pair for names in kinds.values() for pair in itertools.combinations(names, 2)}
    assert swapped >= expected


@pytest.mark.parametrize("count", [1, 7, 40, 200])
def test_every_value_is_tried_in_every_column(count):
    columns = columns_of(count)
    ends = {c.name: [float(2_000 + i) for i in range(3_000)] for c in columns}
    real, _, values = changed(columns, ends)
    tried = collections.defaultdict(set)
    for new in values:
        for name, value in new.items():
            tried[name].add(repr(value))

    for number, column in enumerate(columns):
        seen = real.column(number).to_pylist()
        assert tried[column.name] >= set(map(repr, adversarial_values(column, seen)))
        if column.kind != "BYTES" and number in (1, 2):
            own = 1_000.0 * (number + 1)
            assert {e for e in ends[column.name] if repr(e) in tried[column.name]} & {own, own + 3}


def test_terms_are_tried_in_columns_of_their_type_and_in_lists():
    columns = [replace(column_of(kind), name=kind) for kind in ("BYTES", "INT", "FLOAT")]
    columns.append(replace(columns[0], name="tags", most=3))
    rows = {"BYTES": [b"x"], "INT": [7], "FLOAT": [1.0], "tags": [[b"x", b"y"]]}
    types = {"BYTES": pa.binary(), "INT": pa.int64(), "FLOAT": pa.float32()}
    types["tags"] = pa.list_(pa.binary())
    real = pa.RecordBatch.from_pydict(rows, schema=pa.schema(list(types.items())))
    ends: list[float | bytes] = [b"Term", 2.5, b"7", 1.0]
    found = changed_rows(real, columns, dict.fromkeys(types, ends))
    tried = collections.defaultdict(list)
    for row in found:
        for change in row.changes:
            for name, value in change.values.items():
                tried[name].append(value)
    assert {b"Term", b"tERM", b"Term "} <= set(tried["BYTES"])
    assert [b"Term"] in tried["tags"]
    assert {6, 7, 8} <= set(tried["INT"])
    assert float(np.nextafter(np.float32(1), np.float32(2))) in tried["FLOAT"]
    assert 2.5 not in tried["FLOAT"]  # it is not among real values


@pytest.mark.parametrize("count", [1, 2, 15, 33, 100, 500, 1_200])
def test_rows_and_cells_are_bounded_whatever_the_columns(count):
    _, rows, values = changed(columns_of(count))

    assert ADVERSARIAL_ROWS <= len(rows) <= 2_500 or count > 100
    assert len(rows) <= max(2_500 * 100 / count, 1_100)
    assert len({row.name for row in rows}) == len(rows)
    for row, new in zip(rows, values, strict=True):
        assert sum(len(change.values) for change in row.changes) == len(new)


@pytest.mark.parametrize(("count", "together"), [(7, 1), (32, 1), (33, 2), (500, 16)])
def test_columns_are_left_out_alone_while_they_are_few(count, together):
    columns = columns_of(count)
    real, rows, _ = changed(columns)
    made = rows_of(real.slice(0, 4), columns, rows)

    assert len(made.without) <= 32
    assert max(map(len, made.without)) == together
    assert [name for names in made.without for name in names] == [c.name for c in columns]
    for names, at in made.without.items():
        for row, base in zip(made.batch.slice(at.start, 4).to_pylist(), real.to_pylist()[:4],
                             strict=True):  # fmt: skip
            assert row == {**base, **dict.fromkeys(names)}


def test_a_row_is_named_by_its_changes():
    missing, infinite = Change({"a": None}), Change({"b": float("inf")})

    assert changed_row(2, missing).name == "real row 2 without 'a'"
    assert changed_row(0, infinite).name == "real row 0 with 'b' = inf"
    assert changed_row(0, missing, infinite).name == "real row 0 without 'a' and 1 more change"
    assert changed_row(1, missing, Change({"c": None})).name == "real row 1 without 'a' and 'c'"
    swapped = changed_row(0, Change({"a": 1, "b": None}))
    assert swapped.name == "real row 0 with 'a' and 'b' swapped"


def test_the_same_rows_get_the_same_changes():
    columns = columns_of(60)
    _, one, _ = changed(columns)
    _, two, _ = changed(columns)

    assert [row.name for row in one] == [row.name for row in two]
    assert list(map(repr, one)) == list(map(repr, two))


def test_times_are_named_as_requests_carry_them():
    days, text = column_of("TIME", "UNIX_DAYS"), column_of("TIME_TEXT", "%d.%m.%Y")
    assert str(Change({"x": 86_400_000_000}, days)) == "with 'x' = 1"
    assert str(Change({"x": 86_400_000_000}, text)) == "with 'x' = 02.01.1970"
    assert str(Change({"x": None}, text)) == "without 'x'"
