"""Mutual information of discrete columns, and the order in which criteria choose columns by it.

Columns and the label are ids, int64 [rows]; weights are float64 [rows], or None if all rows count
the same. Information is the plug-in estimate in nats: independent columns of k and m values have
about (k - 1)(m - 1) / (2 rows) by chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from schemas.selection import Criterion

Weights: TypeAlias = "np.ndarray | None"
DIGITS = 12  # after the point; scores that differ by rounding alone are equal


def entropy(ids: np.ndarray, weights: Weights = None) -> float:
    """Return H(X), in nats."""
    counts = np.bincount(ids, weights)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def paired(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the ids of pairs of ids, int64 [rows]."""
    return x * (int(y.max(initial=0)) + 1) + y


def mutual_information(x: np.ndarray, y: np.ndarray, weights: Weights = None) -> float:
    """Return I(X; Y) = H(X) + H(Y) - H(X, Y), in nats."""
    found = entropy(x, weights) + entropy(y, weights) - entropy(paired(x, y), weights)
    return max(0.0, found)


def conditional_information(
    x: np.ndarray, y: np.ndarray, given: np.ndarray, weights: Weights = None
) -> float:
    """Return I(X; Y | Z) = I(X, Z; Y) - I(Z; Y), in nats."""
    joint = mutual_information(paired(x, given), y, weights)
    return max(0.0, joint - mutual_information(given, y, weights))


def choose(
    columns: Mapping[str, np.ndarray],
    label: np.ndarray,
    *,
    keep: int,
    by: Criterion,
    weights: Weights = None,
) -> tuple[list[str], dict[str, float]]:
    """Choose columns one after the other, each time the one with the greatest score.

    With Y the label, and S the columns chosen so far, the score of X is

    - mutual_information: I(X; Y)
    - mrmr: I(X; Y) - mean of I(X; s) over s in S (Peng, Long and Ding 2005,
      doi:10.1109/TPAMI.2005.159, equation 6)
    - cmim: the least I(X; Y | s) of s in S (Fleuret 2004, JMLR 5, equation 6)
    - jmim: the least I(X, s; Y) of s in S (Bennasar, Hicks and Setchi 2015,
      doi:10.1016/j.eswa.2015.07.007, equation 12)

    and I(X; Y) for the first one. Of equal scores, the first name is chosen.

    Args:
      columns: by name.
      label: of the same rows.
      keep: how many columns to choose.
      by: the criterion.
      weights: of the rows.

    Returns:
      The chosen columns in their order, and the last score of each other one.
    """
    relevance = {name: mutual_information(x, label, weights) for name, x in columns.items()}
    scores, chosen = dict(relevance), list[str]()
    terms: dict[str, list[float]] = {name: [] for name in columns}
    while scores and len(chosen) < keep:
        best = min(scores, key=lambda name: (-round(scores[name], DIGITS), name))
        chosen.append(best)
        del scores[best]
        if by == "mutual_information" or len(chosen) == keep:
            continue
        term, score = _CRITERIA[by]
        for name in scores:
            terms[name].append(term(columns[name], label, columns[best], weights))
            scores[name] = score(relevance[name], terms[name])
    return chosen, scores


def _redundancy(x: np.ndarray, y: np.ndarray, s: np.ndarray, weights: Weights) -> float:
    del y
    return mutual_information(x, s, weights)


def _joint(x: np.ndarray, y: np.ndarray, s: np.ndarray, weights: Weights) -> float:
    return mutual_information(paired(x, s), y, weights)


def _less_mean(relevance: float, terms: list[float]) -> float:
    return relevance - math.fsum(terms) / len(terms)


def _least(relevance: float, terms: list[float]) -> float:
    del relevance
    return min(terms)


# What each chosen column adds about another one, and the score that all of them give it.
_Term = Callable[[np.ndarray, np.ndarray, np.ndarray, Weights], float]
_CRITERIA: dict[str, tuple[_Term, Callable[[float, list[float]], float]]] = {
    "mrmr": (_redundancy, _less_mean),
    "cmim": (conditional_information, _least),
    "jmim": (_joint, _least),
}
