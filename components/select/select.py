"""Examples and statistics of the training split → selection.json.

Statistics give the shares of missing values; a repeatable sample of the rows gives all else. The
filters do not drop the label, the weight and the columns of the split. Columns that a trained model
showed to be of no help are dropped whatever they are: other sections still read them from examples.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import progress
from components.examples import column, read_row_group, row_groups
from components.ingest.hashing import scatter
from components.select.filters import ColumnTotals, SampledRows, judge
from components.select.selected import JudgedColumn, Reason, Selected
from components.tasks.outcomes import outcome_of
from schemas.errors import DataError
from schemas.selection import ColumnSelection
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

STAGE = "select"
_SAMPLE = 20_000  # rows; correlations are within 0.02 of those of all rows
_LABEL_BINS = 10


class SelectionPlan(Strict):
    """What is selected from.

    Attributes:
      selection: the filters.
      uses: the columns of each use of a treatment.
      protected: columns that filters do not drop, besides the label's.
      categories: columns of whole numbers that are names.
      place: of the section in pipeline.yaml.
    """

    selection: ColumnSelection
    uses: tuple[tuple[str, ...], ...]
    protected: tuple[str, ...]
    categories: tuple[str, ...]
    place: str


def select(
    examples: str,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    plan: SelectionPlan,
    label: TaskOptions,
) -> Selected:
    """Judge the columns that treatments take.

    Args:
      examples: the examples' folder.
      statistics: of the training split.
      plan: what is selected from.
      label: what is predicted.

    Raises:
      DataError: the training split is empty, or no treatment is left.
    """
    totals = dict(map(_totals_of, statistics.datasets[0].features))
    own = {*plan.protected, *label.columns, label.weight}
    used = dict.fromkeys(name for columns in plan.uses for name in columns)
    unhelpful = plan.selection.unhelpful
    names = [n for n in used if n in totals and n not in own and n not in unhelpful]
    weight = () if label.weight is None else (label.weight,)
    rows = _sample(examples, list(dict.fromkeys((*names, *label.columns, *weight))))
    weights = [np.asarray(column(rows, name).cast(pa.float64())) for name in weight]
    sample = SampledRows(
        rows, _label_ids(label, rows), next(iter(weights), None), frozenset(plan.categories)
    )
    selected = judge(sample, names, totals, plan.selection)
    of_no_help = tuple(_unhelpful(name, cost) for name, cost in unhelpful.items())
    selected = selected.model_copy(update={"columns": (*selected.columns, *of_no_help)})
    _check_left(plan, selected)
    dropped = len(selected.dropped)
    progress.note(STAGE, kept=len(selected.columns) - dropped, dropped=dropped)
    return selected


def _unhelpful(name: str, cost: float | None) -> JudgedColumn:
    reason: Reason = "unmeasured" if cost is None else "importance"
    return JudgedColumn(column=name, reason=reason, figure=cost)


def _check_left(plan: SelectionPlan, selected: Selected) -> None:
    dropped = selected.dropped
    if any(dropped.keys().isdisjoint(columns) for columns in plan.uses):
        return
    name, reason = next(iter(dropped.items()))
    raise DataError(
        f"each treatment takes a column that the selection drops, such as {name}: {reason}",
        where=plan.place,
        expected="features to train on",
        remedy="loosen the filters, raise keep, or give the columns that matter treatments alone",
    )


def _sample(examples: str, names: list[str]) -> pa.RecordBatch:
    """Return about as many rows as the sample has, by the hashes of their places.

    Raises:
      DataError: there is no row.
    """
    groups = [group for group in row_groups(examples, "train") if group.rows]
    total, tables = sum(group.rows for group in groups), []
    for number, group in enumerate(groups):
        draws = scatter(number, np.arange(group.rows), np.full(group.rows, total))
        table = pa.Table.from_batches([read_row_group(group, names)])
        tables.append(table.filter(pa.array(draws < _SAMPLE)))
    if not total:
        raise DataError("the training split has no rows to select columns by", where=examples)
    return pa.concat_tables(tables).combine_chunks().to_batches()[0]


def _label_ids(label: TaskOptions, rows: pa.RecordBatch) -> np.ndarray:
    """Return the class of each row, or the tenth of the rows that its number is in."""
    outcome = outcome_of(label, rows)
    values = outcome.read(rows)
    if outcome.classes:
        return values
    edges = np.unique(np.quantile(values, np.arange(1, _LABEL_BINS) / _LABEL_BINS))
    return np.searchsorted(edges, values, side="right")


def _totals_of(
    feature: statistics_pb2.FeatureNameStatistics,
) -> tuple[str, ColumnTotals]:
    """Return a column's name and its figures over all training rows."""
    name = ".".join(feature.path.step)
    kind = feature.WhichOneof("stats") or "string_stats"
    statistics = getattr(feature, kind)
    missing = statistics.common_stats.num_missing
    rows = missing + statistics.common_stats.num_non_missing
    is_number = kind == "num_stats"
    equal = statistics.min == statistics.max if is_number else statistics.unique == 1
    constant = missing == rows or (equal and not missing)
    return name, ColumnTotals(missing=missing / max(rows, 1), constant=constant)
