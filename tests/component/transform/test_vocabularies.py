"""Counting terms, keeping the most frequent, and reading their file."""

from __future__ import annotations

import heapq

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.vocabularies import (
    FILE_NAME,
    ColumnTerms,
    CountTerms,
    LeftOut,
    MostFrequent,
    count_values,
    read,
)
from schemas.treatments.vocabulary import Vocabulary


def counted(*columns):
    lines, counts = count_values(tf.constant(columns, tf.string))
    return dict(zip(lines.numpy().tolist(), counts.numpy().tolist(), strict=True))


def test_values_are_counted_as_lines_of_the_file():
    assert counted([b"b", b"a", b"", b"b"], [b"b", b"\xc3\xa9", b"0\t", b"b"]) == {
        b"0\tb": 2,
        b"0\ta": 1,
        b"0\t": 1,
        b"1\tb": 2,
        b"1\t\xc3\xa9": 1,
        b"1\t0\t": 1,
    }


def test_no_values_give_no_terms():
    assert counted([], []) == {}


def test_batches_add_up_and_what_is_rare_missing_or_two_lines_is_left_out(tmp_path):
    analyzer = CountTerms([Vocabulary(min_count=2), Vocabulary(top_k=4)])
    analyzer.base_temp_dir = str(tmp_path)
    first = [b"0\ta", b"0\t", b"0\trare", b"1\tx", b"1\tz", b"1\ttwo\nlines"], [1, 9, 1, 3, 2, 8]
    second = [b"0\ta", b"0\tb", b"1\ty", b"1\tx", b"1\t\r"], [1, 2, 2, 1, 5]
    batches = [(np.array(lines, object), np.array(counts)) for lines, counts in (first, second)]
    with beam.Pipeline("FnApiRunner") as pipeline:
        _ = pipeline | beam.Create(batches) | analyzer
    assert (tmp_path / FILE_NAME).read_bytes().split(b"\n") == [
        b"0\t",
        b"0\ta",
        b"0\tb",
        b"1\t",
        b"1\tx",
        b"1\ty",
        b"2\t",
        b"!1\t2\t13",
        b"",
    ]
    assert read(str(tmp_path / FILE_NAME), 2) == [
        ColumnTerms([b"a", b"b"], LeftOut(terms=0, rows=0)),
        ColumnTerms([b"x", b"y"], LeftOut(terms=2, rows=13)),
    ]


TERMS = st.lists(
    st.tuples(st.integers(-50, -1), st.binary(max_size=3)), unique_by=lambda t: t[1], max_size=40
)


@settings(max_examples=200)
@given(terms=TERMS, limit=st.integers(1, 8), data=st.data())
def test_the_most_frequent_are_kept_however_they_are_merged(terms, limit, data):
    combine = MostFrequent(limit)
    parts = []
    rest = list(data.draw(st.permutations(terms)))
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        accumulator = combine.create_accumulator()
        for term in rest[:size]:
            accumulator = combine.add_input(accumulator, term)
        parts.append(accumulator)
        rest = rest[size:]
        if data.draw(st.booleans()):
            parts = [combine.merge_accumulators(parts)]
    assert all(len(p) < 2 * limit for p in parts)
    kept = combine.extract_output(combine.merge_accumulators(parts))
    assert kept == heapq.nsmallest(limit, terms)


def test_ties_are_settled_by_bytes():
    combine = MostFrequent(2)
    accumulator = combine.create_accumulator()
    for term in [(-1, b"c"), (-1, b"b"), (-2, b"z"), (-1, b"a"), (-1, b"B")]:
        accumulator = combine.add_input(accumulator, term)
    assert combine.extract_output(accumulator) == [(-2, b"z"), (-1, b"B")]


@pytest.mark.parametrize(
    ("lines", "terms"),
    [
        ([b"0\t", b"1\t"], [[]]),
        (
            [b"0\t", b"0\ta", b"0\t0\t", b"0\t1", b"1\t", b"2\t", b"2\t ", b"3\t"],
            [[b"a", b"0\t", b"1"], [], [b" "]],
        ),
        ([*(b"%d\t" % i for i in range(12)), b"11\tx", b"12\t"], [[]] * 11 + [[b"x"]]),
    ],
)
def test_terms_are_read_by_column_without_headings(tmp_path, lines, terms):
    path = tmp_path / FILE_NAME
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert [column.terms for column in read(str(path), len(terms))] == terms
