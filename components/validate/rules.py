"""Rules of pipeline.yaml + examples and their statistics → whether each split is as they say.

A condition on rows is computed by DuckDB over the examples, batch by batch, and fails where it is
false: one that is null, such as with a missing value, does not fail, as in SQL's CHECK. A condition
on figures is computed once a split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.examples import count_rows, iter_batches
from components.expressions.rows import RowExpressions, value_of
from components.validate import figures
from components.validate.figures import FigureValue
from components.validate.measured import Measured
from components.validate.rule_results import RuleResult
from schemas.columns import Column
from schemas.expressions.tree import ColumnValue, Constant, Node, rebuilt
from schemas.expressions.value_types import NUMBER
from schemas.rules import PREVIOUS, ParsedRule, parse_rules
from schemas.splits.options import SPLITS
from schemas.validation import Rule

_SAMPLES = 3
_WHERE = "pipeline.yaml: validation.rules"

Measures = Mapping[str, Mapping[str, Measured]]  # by split and column


def check(
    rules: Mapping[str, Rule],
    columns: Sequence[Column],
    *,
    examples: str,
    measured: Measures,
    previous: Measures | None = None,
) -> tuple[RuleResult, ...]:
    """Return what each rule gives for each of its splits that has rows.

    Args:
      rules: by name.
      columns: the columns of schema.pbtxt.
      examples: the examples' folder.
      measured: their statistics.
      previous: the statistics of the data that the newest pushed model learnt from; None if there
        are none, which leaves `previous` unknown.

    Raises:
      DataError: DuckDB refuses an expression.
    """
    parsed = parse_rules(rules, columns, place=lambda name: f"{_WHERE}.{name}")
    results = []
    for split in SPLITS:
        wanted = [rule for rule in parsed if split in rule.options.splits]
        rows = count_rows(examples, split) if wanted else 0
        if not rows:
            continue
        about_rows = [rule for rule in wanted if not rule.figures]
        results += _of_rows(about_rows, columns, examples, split, rows)
        before = None if previous is None else previous.get(split)
        results += [
            _of_figures(rule, examples, split, rows, measured[split], before)
            for rule in wanted
            if rule.figures
        ]
    order = {name: number for number, name in enumerate(rules)}
    return tuple(sorted(results, key=lambda each: order[each.name]))


def _of_rows(
    rules: Sequence[ParsedRule], columns: Sequence[Column], examples: str, split: str, rows: int
) -> list[RuleResult]:
    if not rules:
        return []
    computed = RowExpressions({rule.name: rule.expression for rule in rules}, columns)
    failed = [0] * len(rules)
    samples: list[list[str]] = [[] for _ in rules]
    for batch in iter_batches(examples, split, [column.name for column in computed.columns]):
        for i, values in enumerate(computed.values(batch)):
            wrong = pc.fill_null(pc.invert(values), False)
            failed[i] += pc.sum(wrong).as_py() or 0
            if len(samples[i]) < _SAMPLES and failed[i]:
                samples[i] += _samples(batch, wrong, rules[i], _SAMPLES - len(samples[i]))
    return [
        RuleResult(
            name=rule.name,
            expression=rule.options.expression,
            split=split,
            severity=rule.options.severity,
            holds=count <= rule.options.share * rows,
            measured=f"{count:,} of {rows:,} rows fail ({100 * count / rows:.4g} %)",
            threshold=_allowed(rule.options.share),
            value=count / rows,
            samples=tuple(shown),
        )
        for rule, count, shown in zip(rules, failed, samples, strict=True)
    ]


def _allowed(share: float) -> str:
    return f"at most {100 * share:.4g} % of rows fail" if share else "no row fails"


def _samples(batch: pa.RecordBatch, wrong: pa.Array, rule: ParsedRule, most: int) -> list[str]:
    """Return some rows that fail, with the columns of the rule."""
    at = np.flatnonzero(wrong.to_numpy(zero_copy_only=False))[:most]
    names = list(rule.expression.columns)
    rows = pa.Table.from_batches([batch]).select(names).take(pa.array(at)).to_pylist()
    return [", ".join(f"{name} {value!r}" for name, value in row.items()) for row in rows]


def _of_figures(
    rule: ParsedRule,
    examples: str,
    split: str,
    rows: int,
    measured: Mapping[str, Measured],
    before: Mapping[str, Measured] | None,
) -> RuleResult:
    values = {
        figure: figures.of_split(
            figure, measured, rows, lambda name: figures.read_column(examples, split, name)
        )
        for figure in dict.fromkeys(rule.figures.values())
    }
    earlier = _previous(rule, before) if rule.uses_previous else None
    shown = [f"{figure} = {_text(value)}" for figure, value in values.items()]
    shown += [f"{PREVIOUS} = {_text(earlier)}"] if rule.uses_previous else []

    def known(node: Node) -> Node | None:
        if node in rule.figures:
            return Constant(values[rule.figures[node]], node.type)
        is_previous = isinstance(node, ColumnValue) and node.name == PREVIOUS
        return Constant(earlier, NUMBER) if is_previous else None

    return RuleResult(
        name=rule.name,
        expression=rule.options.expression,
        split=split,
        severity=rule.options.severity,
        holds=value_of(rebuilt(rule.expression.tree, known)) is not False,
        measured=", ".join(shown),
        threshold=rule.options.expression,
        value=next(iter(values.values())) if len(values) == 1 else None,
    )


def _previous(rule: ParsedRule, before: Mapping[str, Measured] | None) -> FigureValue:
    """Return the rule's figure in earlier statistics; None if they do not have it."""
    (figure,) = set(rule.figures.values())
    if not before:
        return None
    if not figure.column:
        return float(next(iter(before.values())).rows)
    found = before.get(figure.column)
    value = None if found is None else figures.of_statistics(figure, found)
    return None if value is None else float(value)


def _text(value: FigureValue) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
