"""Mutual information against scikit-learn, and criteria against their formulas written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from components.select.information import (
    choose,
    conditional_information,
    mutual_information,
)


@pytest.fixture(scope="module")
def table():
    """Return columns of ids and a label that depends on some of them."""
    rng = np.random.default_rng(7)
    a, b, c, noise = (rng.integers(0, k, 3_000) for k in (3, 4, 5, 6))
    label = ((a + 2 * b + rng.integers(0, 2, 3_000)) % 4).astype(np.int64)
    near_a = np.where(rng.random(3_000) < 0.9, a, noise % 3)
    return {"a": a, "b": b, "c": c, "near_a": near_a, "noise": noise}, label


def test_information_is_that_of_scikit_learn(table):
    columns, label = table
    for x in columns.values():
        assert mutual_information(x, label) == pytest.approx(mutual_info_score(x, label), abs=1e-12)


def test_a_weight_counts_as_so_many_rows(table):
    columns, label = table
    weights = np.random.default_rng(1).integers(0, 4, len(label))
    repeated = mutual_information(np.repeat(columns["b"], weights), np.repeat(label, weights))
    found = mutual_information(columns["b"], label, weights.astype(np.float64))
    assert found == pytest.approx(repeated, abs=1e-12)


def test_conditional_information_is_the_mean_within_each_value(table):
    columns, label = table
    a, b = columns["a"], columns["b"]
    within = [np.mean(a == v) * mutual_info_score(b[a == v], label[a == v]) for v in range(3)]
    assert conditional_information(b, label, a) == pytest.approx(sum(within), abs=1e-12)


def test_of_an_exclusive_or_only_a_pair_has_information():
    a, b = np.array([0, 0, 1, 1] * 50), np.array([0, 1, 0, 1] * 50)
    assert mutual_information(a, a ^ b) == pytest.approx(0, abs=1e-12)
    assert conditional_information(a, a ^ b, b) == pytest.approx(np.log(2))


def _score(by, x, label, chosen):
    """Return the score of a column, from scikit-learn's mutual information alone."""
    relevance = mutual_info_score(x, label)
    if by == "mutual_information" or not chosen:
        return relevance
    if by == "mrmr":
        return relevance - np.mean([mutual_info_score(x, s) for s in chosen])
    joint = [mutual_info_score(x * 100 + s, label) for s in chosen]
    if by == "jmim":
        return min(joint)
    return min(j - mutual_info_score(s, label) for j, s in zip(joint, chosen, strict=True))


@pytest.mark.parametrize("by", ["mutual_information", "mrmr", "cmim", "jmim"])
@pytest.mark.parametrize("keep", [1, 3, 9])
def test_each_choice_has_the_greatest_score(table, by, keep):
    columns, label = table
    chosen, scores = choose(columns, label, keep=keep, by=by)
    assert {*chosen, *scores} == columns.keys()
    assert len(chosen) == min(keep, len(columns))
    for i, name in enumerate(chosen):
        before = [columns[n] for n in chosen[:i]]
        left = [n for n in columns if n not in chosen[:i]]
        best = max(left, key=lambda n: _score(by, columns[n], label, before))
        assert name == best
    for name, score in scores.items():
        before = [columns[n] for n in chosen[:-1]]
        assert score == pytest.approx(_score(by, columns[name], label, before), abs=1e-9)


@pytest.mark.parametrize("by", ["mutual_information", "mrmr", "cmim", "jmim"])
def test_equal_columns_are_chosen_by_name_in_any_order(table, by):
    columns, label = table
    twins = {"z": columns["a"], "y": columns["a"], "b": columns["b"]}
    orders = [dict(each) for each in itertools.permutations(twins.items())]
    assert len({tuple(choose(each, label, keep=2, by=by)[0]) for each in orders}) == 1
    assert "z" not in choose(twins, label, keep=2, by="mrmr")[0]
