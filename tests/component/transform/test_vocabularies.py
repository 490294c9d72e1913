"""Counting terms, keeping the most frequent, and reading their file."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.vocabularies import FILE_NAME, MostFrequent, count_batch, count_terms


def test_a_batch_is_counted_by_column():
    values = np.array(
        [
            [b"a", b"1"],
            [b"b", b"a"],
            [b"a", b""],
            [b"", b"1"],
            [b"1\n", b"0\t"],
            [b"\r", b"\xc3\xa9"],
        ],
        dtype=object,
    )
    assert dict(count_batch((values,))) == {
        (0, b"a"): 2,
        (0, b"b"): 1,
        (1, b"1"): 2,
        (1, b"a"): 1,
        (1, b"0\t"): 1,
        (1, b"\xc3\xa9"): 1,
    }


def test_a_batch_without_rows_counts_nothing():
    assert list(count_batch((np.empty((0, 2), dtype=object),))) == []


@given(
    st.lists(st.lists(st.sampled_from([b"", b"a", b"b", b"\n", b"a b"]), min_size=2, max_size=2))
)
def test_counts_are_those_of_every_value(rows):
    values = np.array(rows, dtype=object).reshape(-1, 2)
    wanted: dict[tuple[int, bytes], int] = {}
    for row in rows:
        for column, term in enumerate(row):
            if term not in (b"", b"\n"):
                wanted[column, term] = wanted.get((column, term), 0) + 1
    assert dict(count_batch((values,))) == wanted


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
    ("lines", "counts"),
    [
        ([b"0\t", b"1\t"], [0]),
        ([b"0\t", b"0\ta", b"0\t0\t", b"0\t1", b"1\t", b"2\t", b"2\t ", b"3\t"], [3, 0, 1]),
        ([b"0\t", *(b"%d\t" % i for i in range(1, 12)), b"11\tx", b"12\t"], [0] * 11 + [1]),
    ],
)
def test_terms_are_counted_by_column_headings_apart(tmp_path, lines, counts):
    path = tmp_path / FILE_NAME
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert count_terms(str(path), len(counts)) == counts
