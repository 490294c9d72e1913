"""Explains an exported model: importance of columns, partial dependence, leaks.

The function takes the SavedModel, examples and the layout of its features. It writes an `Explained`
as explanation.json and returns it. The same model and examples always give the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components import progress
from components.explain.dependence import POINTS, dependence
from components.explain.explained import Dependence, Explained, Importance
from components.explain.groups import ColumnGroup, column_groups
from components.explain.importance import EVAL, CostMeter, importance
from components.explain.leaks import find_leaks
from components.explain.rows import rows_of
from components.explain.scorer import RowScorer
from components.explain.unhelpful import find_unhelpful
from components.transform.treatments.protocol import optional
from schemas.columns import Column
from schemas.explain import Explain
from schemas.layout import Layout
from schemas.tasks.options import TaskOptions

STAGE = "explain"
TRAIN = "train"

_ROWS = 2_000
_LEAST_ROWS = 100
_DEPENDENCE_ROWS = 300
_SHOWN = 8  # columns whose dependence is measured

# What all of this may score: so many rows, or so many values where that is fewer rows. A row of the
# taxi example takes 5 µs.
_MOST_ROWS = 300_000
_MOST_VALUES = 30_000_000


def explain(
    *,
    model: str,
    examples: str,
    columns: Iterable[Column],
    layout: Layout,
    label: TaskOptions,
    options: Explain,
    output: str,
) -> Explained:
    """Explain a model by scoring raw rows with some columns changed.

    Args:
      model: folder of a SavedModel with an `evaluation` signature.
      examples: folder of examples.
      columns: the examples' columns.
      layout: the transformed features of the model.
      label: what the model predicts.
      options: how much is measured.
      output: folder to write explanation.json into.

    Raises:
      ModelError: the model does not load, or gives invalid scores.
    """
    scorer, groups = RowScorer(model, columns), column_groups(layout)
    budget = ScoringBudget.of(options, len(groups), len(scorer.columns))
    meters = {
        split: CostMeter(scorer, rows_of(examples, split, scorer, label, budget.rows), label)
        for split in (TRAIN, EVAL)
    }
    measured, unmeasured = _chosen(meters[EVAL], groups, options, budget)
    found = importance(
        meters,
        measured,
        repeats=options.repeats,
        unmeasured=unmeasured,
        done=lambda rows: progress.rows(STAGE, rows),
    )
    train, held_out = meters[TRAIN].rows, meters[EVAL].rows
    by_name = {column.name: column for column in scorer.columns}
    own = [by_name[name] for group in groups for name in group.columns]
    explained = Explained(
        importance=found,
        dependence=tuple(_dependence(scorer, meters[EVAL], found, by_name, layout, budget)),
        leaks=tuple(find_leaks(train, held_out, own)),
        unhelpful=find_unhelpful(meters[EVAL], found),
    )
    explained.write(output)
    for leak in explained.leaks:
        progress.remark(STAGE, leak.says)
    progress.note(STAGE, columns=len(found.columns), leaks=len(explained.leaks))
    return explained


@dataclass(frozen=True)
class ScoringBudget:
    """How many rows are scored.

    Attributes:
      rows: of each split.
      first_pass: for each group of columns, before the importance of some is measured; 0 for all.
      dependence: for each point.
    """

    rows: int
    first_pass: int
    dependence: int

    @classmethod
    def of(cls, options: Explain, groups: int, columns: int) -> ScoringBudget:
        """Return what suits so many groups of columns of a model of so many raw columns.

        >>> ScoringBudget.of(Explain(), 16, 16)
        ScoringBudget(rows=2000, first_pass=0, dependence=300)
        >>> ScoringBudget.of(Explain(), 500, 500)
        ScoringBudget(rows=333, first_pass=40, dependence=75)
        """
        most = min(_MOST_ROWS, _MOST_VALUES // max(columns, 1))
        measured = 2 * options.repeats * min(groups, options.columns)
        fitting = max(_LEAST_ROWS, most * 2 // 3 // max(measured, 1))
        rows = min(_ROWS, fitting) if options.rows is None else options.rows
        first_pass = max(20, most // 3 // groups) if groups > options.columns else 0
        at_points = max(50, most // 10 // (_SHOWN * POINTS))
        return cls(rows, min(first_pass, rows), min(_DEPENDENCE_ROWS, at_points, rows))


def _chosen(
    meter: CostMeter, groups: tuple[ColumnGroup, ...], options: Explain, budget: ScoringBudget
) -> tuple[list[ColumnGroup], list[ColumnGroup]]:
    """Return the groups to measure, and the others by how far they move the scores, ascending."""
    if len(groups) <= options.columns:
        return list(groups), []
    moved = meter.moved([group.columns for group in groups], budget.first_pass)
    order = [groups[number] for number in moved.argsort(kind="stable")]
    return order[-options.columns :], order[: -options.columns]


def _dependence(
    scorer: RowScorer,
    meter: CostMeter,
    found: Importance,
    columns: Mapping[str, Column],
    layout: Layout,
    budget: ScoringBudget,
) -> Iterable[Dependence]:
    """Yield the dependence on the most important columns that have one value a row."""
    ranked = [columns[name] for each in found.columns for name in each.columns]
    for column in [column for column in ranked if not column.is_list][:_SHOWN]:
        measured = dependence(
            scorer,
            meter.rows,
            column,
            is_category=_is_category(column, layout),
            scored=budget.dependence,
        )
        if measured is not None:
            yield measured


def _is_category(column: Column, layout: Layout) -> bool:
    """Return whether a column's whole numbers are names: some feature knows its values as terms."""
    features = [f for f in layout.features if f.columns == (column.name,)]
    numbers = any(feature.is_float for feature in features)
    terms = any(optional(feature.treatment, "terms") is not None for feature in features)
    return column.type.is_whole and terms and not numbers
