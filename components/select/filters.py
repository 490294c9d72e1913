"""A sample of the training rows → the columns to drop, filter by filter, each with its reason.

The filters act one after the other on the columns that are left. Of columns that are alike, the one
with the greatest mutual information with the label stays, and of equal ones the first by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components import list_arrays
from components.examples import column
from components.select.information import DIGITS, Weights, choose, mutual_information
from components.select.selected import JudgedColumn, Selected
from components.validate.bins import bins_of
from components.validate.estimates import correlations
from schemas.selection import ColumnSelection


@dataclass(frozen=True)
class ColumnTotals:
    """Figures of a column over all training rows.

    Attributes:
      missing: the share of rows without a value.
      constant: whether all rows are equal.
    """

    missing: float
    constant: bool


@dataclass(frozen=True)
class SampledRows:
    """Training rows that decide.

    Attributes:
      rows: the columns.
      label: the class of each row, or a number's bin; int64 [rows].
      weights: of the rows; None if all count the same.
      categories: columns of whole numbers that are names.
    """

    rows: pa.RecordBatch
    label: np.ndarray
    weights: Weights = None
    categories: frozenset[str] = frozenset()

    def of(self, name: str) -> pa.Array:
        """Return a column."""
        return column(self.rows, name)

    @cached_property
    def ids(self) -> dict[str, np.ndarray]:
        """The bins of each column that has some, int64 [rows]: tenths, or frequent values."""
        names = self.rows.schema.names
        bins = {n: bins_of(self.rows, n, category=n in self.categories) for n in names}
        return {n: each.numbers(self.of(n)) for n, each in bins.items() if each is not None}

    @cached_property
    def information(self) -> dict[str, float]:
        """The mutual information of each column that has bins with the label, in nats."""
        return {n: mutual_information(x, self.label, self.weights) for n, x in self.ids.items()}

    def best_first(self, names: Sequence[str]) -> list[str]:
        """Return the columns that have bins, the most informative first."""
        known = [name for name in names if name in self.ids]
        return sorted(known, key=lambda name: (-round(self.information[name], DIGITS), name))

    def is_number(self, name: str) -> bool:
        """Whether the values have an order."""
        kind = self.of(name).type
        numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        return numeric and name not in self.categories


def judge(
    sample: SampledRows,
    names: Sequence[str],
    totals: Mapping[str, ColumnTotals],
    selection: ColumnSelection,
) -> Selected:
    """Judge columns.

    Args:
      sample: training rows, with at least these columns.
      names: columns that may be dropped.
      totals: of these columns.
      selection: the filters.
    """
    filters: tuple[Callable[[], Iterator[JudgedColumn]], ...] = (
        lambda: _missing(left, totals, selection.missing),
        lambda: _one_value(sample, left, totals, selection.one_value),
        lambda: _duplicates(sample, left) if selection.duplicates else iter(()),
        lambda: _uninformative(sample, left, selection.mutual_information),
        lambda: _correlated(sample, left, selection.correlation),
        lambda: _beyond(sample, left, selection),
    )
    left, dropped = list(names), dict[str, JudgedColumn]()
    for found in filters:
        dropped |= {each.column: each for each in found()}
        left = [name for name in left if name not in dropped]
    judged = (dropped.get(name, JudgedColumn(column=name)) for name in names)
    known = {each.column: sample.information.get(each.column) for each in dropped.values()}
    known |= {name: sample.information.get(name) for name in left}
    columns = tuple(each.model_copy(update={"information": known[each.column]}) for each in judged)
    return Selected(rows=sample.rows.num_rows, by=selection.by, columns=columns)


def _missing(
    names: Sequence[str], totals: Mapping[str, ColumnTotals], share: float | None
) -> Iterator[JudgedColumn]:
    for name in names:
        if share is not None and totals[name].missing >= share:
            yield JudgedColumn(column=name, reason="missing", figure=totals[name].missing)


def _one_value(
    sample: SampledRows,
    names: Sequence[str],
    totals: Mapping[str, ColumnTotals],
    share: float | None,
) -> Iterator[JudgedColumn]:
    for name in names:
        values = sample.of(name)
        if share is None or list_arrays.is_list(values.type):
            continue
        most = pc.max(pc.value_counts(values).field("counts")).as_py() / len(values)
        if totals[name].constant or share <= most < 1 or (share < 1 and most == 1):
            yield JudgedColumn(column=name, reason="one_value", figure=most)


def _duplicates(sample: SampledRows, names: Sequence[str]) -> Iterator[JudgedColumn]:
    kept: dict[bytes, list[str]] = {}
    for name in sample.best_first(names):
        alike = kept.setdefault(sample.ids[name].tobytes(), [])
        other = next((k for k in alike if sample.of(k).equals(sample.of(name))), None)
        if other is None:
            alike.append(name)
        else:
            yield JudgedColumn(column=name, reason="duplicate", other=other)


def _uninformative(
    sample: SampledRows, names: Sequence[str], least: float | None
) -> Iterator[JudgedColumn]:
    for name in names:
        found = sample.information.get(name)
        if least is not None and found is not None and found < least:
            yield JudgedColumn(column=name, reason="mutual_information", figure=found)


def _correlated(
    sample: SampledRows, names: Sequence[str], least: float | None
) -> Iterator[JudgedColumn]:
    """Yield the columns of numbers that are correlated with one that is kept."""
    numbers = [n for n in sample.best_first(names) if sample.is_number(n)]
    if least is None or len(numbers) < 2:
        return
    ranks, present = zip(*(_ranks(sample.of(name)) for name in numbers), strict=True)
    found = correlations(np.stack(ranks), np.stack(present), sample.weights)
    kept: list[int] = []
    for i, name in enumerate(numbers):
        by_other = {k: found[i][k] or 0.0 for k in kept}
        most = max(by_other, key=lambda k: abs(by_other[k]), default=None)
        if most is None or abs(by_other[most]) < least:
            kept.append(i)
            continue
        yield JudgedColumn(
            column=name, reason="correlation", figure=by_other[most], other=numbers[most]
        )


def _ranks(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean rank of each value, from -1 to 1, 0 where there is none; and where it is."""
    values = np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
    present = ~np.isnan(values)
    _, places, counts = np.unique(values[present], return_inverse=True, return_counts=True)
    ranks = np.zeros(len(values))
    middles = (np.cumsum(counts) - counts / 2) / max(len(places), 1) * 2 - 1
    ranks[present] = middles[places]
    return ranks, present


def _beyond(
    sample: SampledRows, names: Sequence[str], selection: ColumnSelection
) -> Iterator[JudgedColumn]:
    """Yield the columns that `keep` leaves out; those without bins are kept."""
    if selection.keep is None:
        return
    columns = {name: sample.ids[name] for name in names if name in sample.ids}
    _, scores = choose(
        columns, sample.label, keep=selection.keep, by=selection.by, weights=sample.weights
    )
    for name, score in scores.items():
        yield JudgedColumn(column=name, reason="keep", figure=score)
