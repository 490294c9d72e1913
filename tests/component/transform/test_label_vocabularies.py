"""Vocabularies in the order of mutual information, compared with the formula of TFT."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest
from tensorflow_transform import info_theory

from components.transform.label_vocabularies import information
from components.transform.treatments.vocabulary import terms

pytestmark = pytest.mark.component

ROWS = 300
RNG = np.random.default_rng(8)
KIND = RNG.choice(["x", "y", "z"], ROWS, p=[0.5, 0.3, 0.2])
WORDS: dict[str, list[Any]] = {
    # Terms from one that says all to one that says nothing, missing values between them.
    "city": [
        None if RNG.random() < 0.1 else f"only {kind}" if RNG.random() < 0.2 else word
        for kind, word in zip(KIND, RNG.choice(["a", "b", "c", "d", "e"], ROWS), strict=True)
    ],
    "number": [int(n) for n in np.where(KIND == "z", RNG.integers(0, 3, ROWS), 7)],
    "plain": RNG.choice(["p", "q", "r"], ROWS, p=[0.6, 0.3, 0.1]).tolist(),
    "tags": [
        None if RNG.random() < 0.1 else [kind, kind, str(RNG.integers(4))]
        for kind in np.where(RNG.random(ROWS) < 0.5, KIND, "same")
    ],
    "plain_tags": [["often", "often", "once"], *([["once"]] * (ROWS - 1))],
}
BY_LABEL = {"top_k": 4, "min_count": 5, "order": "mutual_information"}


def informative(column):
    """Return a column's terms in order, by TFT's formula, computed without the graph."""
    rows = [set(v) if isinstance(v, list) else {v} for v in WORDS[column]]
    counts = collections.Counter(str(t) for terms in rows for t in terms if t is not None)
    found = {}
    for term, own in counts.items():
        has = np.array([term in map(str, terms) for terms in rows])
        found[term] = sum(
            info_theory.calculate_partial_mutual_information(
                (has & (kind == KIND)).sum(), own, (kind == KIND).sum(), ROWS
            )
            for kind in "xyz"
        )
    known = [t for t in found if 5 <= counts[t] < ROWS]
    return sorted(known, key=lambda t: (-found[t], t.encode()))[:4]


@pytest.fixture(scope="module")
def transformed(run):
    features = {name: {"vocabulary": BY_LABEL} for name in ("city", "number", "tags")}
    features |= {name: {"vocabulary": {"top_k": 2}} for name in ("plain", "plain_tags")}
    kinds = {name: "INT" if name == "number" else "BYTES" for name in WORDS}
    rows = {**WORDS, "kind": KIND.tolist()}
    return run(
        {**kinds, "kind": "BYTES"},
        features,
        {"train": rows, "eval": rows},
        label={"task": "multiclass", "name": "target", "column": "kind"},
        lists={"tags": 3, "plain_tags": 3},
        batch_rows=70,
    )


@pytest.mark.parametrize("name", ["city", "number", "tags"])
def test_terms_are_in_the_order_of_what_they_say_about_the_label(transformed, name):
    found = terms(str(transformed.graph), transformed.layout.by_treatment()["vocabulary"])
    assert list(found[name]) == informative(name)
    numbers: dict[str | None, int] = {None: 0}
    numbers |= {term: n for n, term in enumerate(found[name], start=1)}
    oov = len(numbers)
    expected = [
        [numbers.get(str(t), oov) for t in value]
        if isinstance(value, list)
        else numbers.get(None if value is None else str(value), oov)
        for value in WORDS[name]
    ]
    expected = [[0] if name == "tags" and own == 0 else own for own in expected]
    for split in ("train", "eval"):
        assert transformed.split(split)[f"{name}_id"] == expected


def test_other_columns_keep_the_order_of_their_counts(transformed):
    found = terms(str(transformed.graph), transformed.layout.by_treatment()["vocabulary"])
    assert found["plain"] == ("p", "q")
    assert found["plain_tags"] == ("once", "often")


def test_rows_without_a_class_do_not_count():
    assert information({0: 4, -1: 9}, {0: 4, 1: 4, -1: 20}) == 4.0
    assert information({0: 4, 1: 4}, {0: 4, 1: 4}) == 0.0  # a term of every row
