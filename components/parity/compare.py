"""Compares the values that serving returned with expected ones: where they differ, and how much.

The function takes arrays with equal numbers of rows. It returns how many values were compared and
the worst differences. NaN equals only NaN, and an output that is absent, of another shape or of
another type is a difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from components.tasks.protocol import Tolerance

# The terms of a sum whose rounding stays within a task's tolerance.
_TERMS = 128


def rounding_of(terms: int) -> float:
    """Return the factor by which a task's tolerance is widened for a sum of so many terms.

    Rounding errors add up like a random walk: with the square root of the number of terms.

    >>> rounding_of(100), rounding_of(12_800)
    (1.0, 10.0)
    """
    return math.sqrt(max(1.0, terms / _TERMS))


EXACT = Tolerance()


@dataclass(frozen=True)
class Expected:
    """The expected values of an output, [rows] or [rows, n], and their tolerance.

    `padding` follows the values of lists, which may then be of any width.
    """

    values: np.ndarray
    tolerance: Tolerance = EXACT
    padding: int | None = None

    def beside(self, got: np.ndarray | None) -> tuple[Expected, np.ndarray | None]:
        """Return both in the same width, if they are lists."""
        if self.padding is None or got is None or got.ndim != 2:
            return self, got
        width = max(got.shape[1], self.values.shape[1])
        values, wide = (
            np.pad(each, [(0, 0), (0, width - each.shape[1])], constant_values=self.padding)
            for each in (self.values, got)
        )
        return replace(self, values=values), wide


@dataclass(frozen=True)
class ValueDifference:
    """One value that differs from the expected one; `row` counts from the first row compared."""

    row: int
    output: str
    expected: str
    got: str
    relative: float | None


@dataclass(frozen=True)
class Comparison:
    """The result of comparing the outputs of one serving path.

    Attributes:
      values: how many values were compared.
      differing: how many of them differ.
      largest: the largest difference, relative to the value; to a thousandth where a score is
        smaller, and to 1 where a logit is; None where no numbers were compared.
      worst: the largest differences of each output, the outputs in the order expected.
      rows: by output, bool [rows], where it differs.
    """

    values: int
    differing: int
    largest: float | None
    worst: tuple[ValueDifference, ...]
    rows: Mapping[str, np.ndarray]


def compare(
    expected: Mapping[str, Expected],
    got: Mapping[str, np.ndarray],
    *,
    keep: int,
    rank: np.ndarray | None = None,
) -> Comparison:
    """Compare every expected output; unexpected outputs are differences too.

    Args:
      expected: outputs by name.
      got: outputs by name.
      keep: how many differences of each output to return, the largest ones.
      rank: int [rows], by which the differences of an output are ordered before their size.
    """
    values, differing, largest = 0, 0, -1.0
    worst: list[ValueDifference] = []
    rows: dict[str, np.ndarray] = {}
    for name, wanted in expected.items():
        output, actual = wanted.beside(got.get(name))
        values += output.values.size
        problem = _form_problem(output.values, actual)
        if problem or actual is None:
            differing += output.values.size
            worst.append(ValueDifference(0, name, _form(output.values), problem or "", None))
            continue
        if actual.size and np.all(output.values == actual):  # nearly all outputs are
            largest = max(largest, 0.0 if actual.dtype.kind in "fi" else -1.0)
            continue
        largest = max(largest, _largest_of(output, actual))
        differs = ~close(output, actual)
        if differs.any():
            differing += int(np.count_nonzero(differs))
            rows[name] = differs.reshape(len(differs), -1).any(axis=1)
            worst += _largest(name, output.values, actual, differs, rank, keep)
    for name in sorted(set(got) - set(expected)):
        differing += 1
        worst.append(ValueDifference(0, name, "no such output", _form(got[name]), None))
    return Comparison(values, differing, None if largest < 0 else largest, tuple(worst), rows)


def close(expected: Expected, got: np.ndarray) -> np.ndarray:
    """Return, value by value, whether `got` is what is expected."""
    equal = np.asarray(expected.values == got)
    if expected.values.dtype.kind != "f":
        return equal
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf, and beyond float64
        target, actual = expected.values.astype(np.float64), got.astype(np.float64)
        allowed = expected.tolerance.relative * np.abs(target) + expected.tolerance.absolute
        near = (np.abs(actual - target) <= allowed) & np.isfinite(target)
    return equal | near | (np.isnan(target) & np.isnan(actual))


def relative_differences(expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Return |got - expected| / |expected| as float64; NaN for text and where it is undefined."""
    if expected.dtype.kind not in "fi":
        return np.full(expected.shape, np.nan)
    with np.errstate(all="ignore"):
        target, actual = expected.astype(np.float64), got.astype(np.float64)
        relative = np.abs(actual - target) / np.abs(target)
    return np.where(np.isfinite(relative), relative, np.nan)


def _largest_of(expected: Expected, got: np.ndarray) -> float:
    """Return the largest difference in the tolerance's measure; -1 where there are no numbers.

    A difference is within the tolerance if this is at most `tolerance.relative`, for all values.
    """
    relative, absolute = expected.tolerance.relative, expected.tolerance.absolute
    if expected.values.dtype.kind not in "fi":
        return -1.0
    with np.errstate(all="ignore"):
        target, actual = expected.values.astype(np.float64), got.astype(np.float64)
        least = absolute / relative if relative else 0.0
        apart = np.where(target == actual, 0.0, np.abs(actual - target) / (np.abs(target) + least))
    return float(np.max(apart[np.isfinite(apart)], initial=-1.0))


def _largest(
    name: str,
    expected: np.ndarray,
    got: np.ndarray,
    differs: np.ndarray,
    rank: np.ndarray | None,
    keep: int,
) -> list[ValueDifference]:
    """Return the largest differences, one a row; those without a size, such as NaN's, first."""
    rows = len(expected)
    relative = relative_differences(expected, got)
    sizes = np.where(differs, np.nan_to_num(relative, nan=np.inf), -1.0).reshape(rows, -1)
    differing = np.flatnonzero(sizes.max(axis=1) >= 0)
    ranks = np.zeros(rows, int) if rank is None else rank
    order = np.lexsort((-sizes.max(axis=1)[differing], ranks[differing]))
    places = [(row, int(sizes[row].argmax())) for row in differing[order][:keep].tolist()]
    target, actual, relative = (a.reshape(rows, -1) for a in (expected, got, relative))
    return [
        ValueDifference(
            row=place[0],
            output=name,
            expected=_show(target[place]),
            got=_show(actual[place]),
            relative=None if np.isnan(relative[place]) else float(relative[place]),
        )
        for place in places
    ]


def _form_problem(expected: np.ndarray, got: np.ndarray | None) -> str | None:
    if got is None:
        return "no such output"
    if expected.shape != got.shape or expected.dtype != got.dtype:
        return _form(got)
    return None


def _form(array: np.ndarray) -> str:
    dtype = "string" if array.dtype == object else array.dtype.name
    return f"{dtype}{list(array.shape)}"


def _show(value: object) -> str:
    return repr(value.decode(errors="replace")) if isinstance(value, bytes) else str(value)
