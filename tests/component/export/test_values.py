"""Booleans and times of requests: the graph reads them as sources do, and refuses what they do."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.calendar import read_time
from components.column_tensors import integers_first, numbers, texts
from components.encoded_examples import as_tf_examples
from components.examples import as_raw_columns
from components.export.inputs import complete, parse, raw_columns
from components.parity.time_values import TIMES, writable
from components.sources.cells import convert
from components.times import format_of, write_texts
from tests.columns import column_of

pytestmark = pytest.mark.component

FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%d. %B %y, %I:%M %p",
    "%b %Y",
    "%Y%j",
)
COLUMNS = (
    *(column_of("TIME_TEXT", form, name=form) for form in FORMATS),
    column_of("TIME_TEXT", FORMATS[0], name="again"),
    column_of("TIME", "UNIX_SECONDS", name="seconds"),
    column_of("TIME", "UNIX_DAYS", name="days"),
    column_of("BOOL", name="flag"),
    column_of("BOOL_TEXT", name="member"),
    column_of("BOOL_TEXT", "on", "off", name="switch"),
    column_of("FLOAT_TEXT", name="amount"),
    column_of("INT", name="whole"),
    column_of("BYTES", name="text"),
)
TEXT_COLUMNS = tuple(column_of("TIME_TEXT", form, name=form) for form in FORMATS)
ANY_TEXTS = tf.TensorSpec([None], tf.string)  # a graph for one number of rows is traced for each


@pytest.fixture(scope="module")
def by_columns():
    return tf.function(lambda given: raw_columns(complete(given, COLUMNS), COLUMNS))


@pytest.fixture(scope="module")
def by_examples():
    return tf.function(lambda given: parse(given, COLUMNS), input_signature=[ANY_TEXTS])


@pytest.fixture(scope="module")
def read_texts():
    return tf.function(
        lambda given: raw_columns(complete(given, TEXT_COLUMNS), TEXT_COLUMNS),
        input_signature=[{c.name: ANY_TEXTS for c in TEXT_COLUMNS}],
    )


def batch():
    """Rows of all values to try, with a missing one in each column."""
    times = {c.name: writable(TIMES, c) for c in COLUMNS if c.type.is_time}
    rows = max(map(len, times.values())) + 1
    other: dict[str, list[Any]] = {"flag": [0, 1], "member": ["yes", "no"], "switch": ["on", "off"]}
    amounts = [0.1, 1_700_000_000.123, 2.0**53 - 1, 1e-40, -0.0, np.nextafter(1.0, 2.0)]
    values = {**times, **other, "whole": [7, -(2**53)], "text": ["a", "é"], "amount": amounts}
    arrays = [pa.array([*(values[c.name] * rows)[: rows - 1], None]) for c in COLUMNS]
    return pa.RecordBatch.from_arrays(arrays, [c.name for c in COLUMNS])


def test_the_graph_reads_what_examples_hold(by_columns, by_examples):
    rows = batch()
    raw = {name: tf.constant(values) for name, values in as_raw_columns(rows, COLUMNS).items()}
    read = by_columns(raw)
    parsed = by_examples(tf.constant(as_tf_examples(rows, COLUMNS)))
    for column, array in zip(COLUMNS, rows.columns, strict=True):
        expected = array.fill_null(pa.scalar(_missing(column), array.type)).to_pylist()
        for got in (read, parsed):
            listed = got[column.name].numpy().tolist()
            # repr, as NaN is not equal to itself, and 0.0 is equal to -0.0
            assert repr(listed) == repr([v.encode() if isinstance(v, str) else v for v in expected])


def _missing(column):
    missing = column.type.missing
    return missing.decode() if isinstance(missing, bytes) else missing


def test_numbers_are_compared_in_full_width():
    near = tf.constant([1_700_000_000.25, 1_700_000_000.5], tf.float64)
    columns = {
        "wide": near,
        "single": tf.constant([0.5, 1.5]),
        "whole": tf.constant([1, 2], tf.int64),
    }
    order = integers_first(columns.items())
    assert order == ["whole", "single", "wide"]
    assert numbers([columns[name] for name in order]).numpy().tolist() == [
        [1, 0.5, 1_700_000_000.25],
        [2, 1.5, 1_700_000_000.5],
    ]
    assert texts([near, columns["single"]]).numpy().tolist() == [
        [b"1700000000.25", b"1700000000.5"],
        [b"0.5", b"1.5"],
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("seconds", 0.5, "something else than integers"),
        ("seconds", 2.0**53, "something else than times in their format or unit"),
        ("days", -104_250.0, "something else than times in their format or unit"),
        ("flag", 2.0, "something else than their two values"),
        ("member", b"Yes", "something else than their two values"),
        ("member", b"on", "something else than their two values"),
        (FORMATS[0], b"2023-02-29 00:00:00", "something else than times"),
        (FORMATS[0], b"\xff", "something else than times"),
        (FORMATS[1], b"2024-01-01T00:00:00+24:00", "something else than times"),
        (FORMATS[3], b"Abc 2024", "something else than times"),
        ("again", b"x\0", "something else than times"),
        ("amount", b"1,5", "something else than numbers"),
        ("amount", b"1e39", "something else than numbers"),
        ("amount", b"1" + b"0" * 400, "something else than numbers"),
    ],
)
def test_what_no_row_can_have_is_refused_by_its_column(by_columns, name, value, problem):
    raw = as_raw_columns(batch(), COLUMNS)
    raw[name][3] = value
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        by_columns({name: tf.constant(values) for name, values in raw.items()})
    assert problem in str(caught.value)
    assert f"[{name}]" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("flag", "int64_list", 2),
        ("member", "bytes_list", b"maybe"),
        ("seconds", "int64_list", 2**62),
        (FORMATS[4], "bytes_list", b"2023366"),
    ],
)
def test_such_an_example_is_refused_by_its_column(by_examples, name, field, value):
    example = tf.train.Example()
    getattr(example.features.feature[name], field).value.append(value)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"columns hold something else"):
        by_examples(tf.constant([b"", example.SerializeToString()]))


@given(
    values=st.lists(
        st.one_of(
            st.text(max_size=25),
            st.from_regex(r"\A[0-9]{4}-[01]?[0-9]-[0-3]?[0-9] [0-9]{1,2}:[0-5]?[0-9]:[0-9]{2}\Z"),
            st.integers(-(2**53), 2**53),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=30, deadline=None)
def test_sources_single_values_and_the_graph_agree_on_any_text(read_texts, values):
    for column in TEXT_COLUMNS:
        form = format_of(*column.form)
        texts = [
            value if isinstance(value, str) else write_texts(np.array([value]), form)[0].as_py()
            for value in values
        ]
        cells = convert(pa.array(texts, pa.string()), column)
        alone = [read_time(text.encode(), form) for text in texts]
        assert cells.values.to_pylist() == alone
        readable = [text for text, time in zip(texts, alone, strict=True) if time is not None]
        given_columns = {c.name: tf.constant([], tf.string) for c in TEXT_COLUMNS}
        graph = read_texts(given_columns | {column.name: tf.constant(readable, tf.string)})
        assert graph[column.name].numpy().tolist() == [time for time in alone if time is not None]
        refused = [t for t, time in zip(texts, alone, strict=True) if t and time is None]
        if refused:
            with pytest.raises(tf.errors.InvalidArgumentError):
                read_texts(given_columns | {column.name: tf.constant(refused[:1])})
