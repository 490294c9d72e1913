"""Two runs → how they differ: configuration, metrics, slices and columns, as plain values.

Reads what runs keep, and their artifacts; imports neither TensorFlow nor Beam. What a run did not
keep, or what was removed since, is None.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.evaluate.curves import Curves
from components.evaluate.report import Report, SliceMetrics
from components.validate import stored
from components.validate.drift import Z_TWO_SIDED, chance_of_l_infinity
from components.validate.measured import Measured, of_statistics
from pipeline import configuration, lineage
from pipeline.configuration import Configuration, SettingChange
from pipeline.data import record_of
from pipeline.folders import Folders
from pipeline.recorded_runs import RecordedRun
from pipeline.summary import Summary, task_of
from schemas.errors import DataError
from schemas.strict import Strict
from schemas.tasks.options import Metric

_SPLIT = "train"


class MetricChange(Strict):
    """A metric of both models, each on its own test split.

    Attributes:
      name: its key in metrics.json.
      title: its name on pages.
      better: which values are better.
      before: of the first run; None if it is undefined.
      after: of the other run.
      verdict: whether the other run's is "better", "worse" or the "same"; None if one is undefined.
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    before: float | None
    after: float | None
    verdict: Literal["better", "worse", "same"] | None


class SliceChange(Strict):
    """The objective on the rows that share a column's value.

    Attributes:
      column: the raw column.
      value: its value as text.
      examples: how many rows there are, of the first run and of the other one.
      change: the objective.
    """

    column: str
    value: str
    examples: tuple[int, int]
    change: MetricChange


class ColumnChange(Strict):
    """How far a column of the training split has moved.

    Attributes:
      column: the raw column.
      measure: "L_INFTY", the largest difference of a value's share; "MEAN", the difference of the
        means in standard deviations of the first run; or "MISSING", that of the missing share.
      value: what was measured.
      chance: what two samples of one source, of these sizes, stay under 999 times in 1,000.
    """

    column: str
    measure: Literal["L_INFTY", "MEAN", "MISSING"]
    value: float
    chance: float


class RunComparison(Strict):
    """How a run differs from another one.

    Attributes:
      before: the id of the run that is compared with.
      after: the id of this run.
      settings: keys of pipeline.yaml; None if a run did not keep its configuration.
      schema_lines: changed lines of schema.pbtxt.
      code_lines: changed lines of features.py.
      metrics: those that can be better or worse, the objective first.
      slices: those whose objective differs, the worst change first.
      columns: those that moved further than by chance, the furthest first.
    """

    before: str
    after: str
    settings: tuple[SettingChange, ...] | None
    schema_lines: tuple[str, ...] | None
    code_lines: tuple[str, ...] | None
    metrics: tuple[MetricChange, ...] | None
    slices: tuple[SliceChange, ...] | None
    columns: tuple[ColumnChange, ...] | None

    def __str__(self) -> str:
        """Return the text that `skewless compare` prints."""
        from pipeline import compare

        return "\n".join(compare.lines(self))

    def _repr_html_(self) -> str:
        """Return the text for notebooks."""
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True)
class Side:
    """What is known of one of the runs.

    Attributes:
      run: the run.
      summary: its summary.
      configuration: its configuration.
      report: its metrics.json.
      columns: the columns of its training split.
      scores: the label and score of some rows of the test split, by their keys.
    """

    run: RecordedRun
    summary: Summary
    configuration: Configuration | None
    report: Report | None
    columns: Mapping[str, Measured] | None
    scores: Mapping[float, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: RecordedRun, summary: Summary) -> Side:
        """Read what a run keeps, and its artifacts.

        Raises:
          ConfigError: the record of the runs is damaged.
        """
        with record_of(Folders.at(run.pipeline_folder)) as metadata:
            known = lineage.read_run(metadata, run.run_id) if metadata.exists() else {}
        outputs = {
            node: execution.outputs
            for node, execution in known.items()
            if execution.state in ("COMPLETE", "CACHED")
        }
        report, columns, scores = None, None, {}
        if "evaluate" in outputs:
            report = _report(outputs["evaluate"]["evaluation"].uri)
            scores = _scores(outputs["evaluate"]["evaluation"].uri)
        if "statistics" in outputs:
            columns = _columns(outputs["statistics"]["statistics"].uri)
        return cls(run, summary, Configuration.read(run.folder), report, columns, scores)


def compare(before: Side, after: Side) -> RunComparison:
    """Return how the second run differs from the first one."""
    old, new = before.configuration, after.configuration
    return RunComparison(
        before=before.run.run_id,
        after=after.run.run_id,
        settings=tuple(configuration.differences(old, new)) if old and new else None,
        schema_lines=_lines(old.schema_text, new.schema_text) if old and new else None,
        code_lines=_lines(old.code, new.code) if old and new else None,
        metrics=_metrics(before.summary, after.summary),
        slices=_slices(before, after),
        columns=_moved(before.columns, after.columns),
    )


def _lines(before: str, after: str) -> tuple[str, ...]:
    return tuple(configuration.changed_lines(before, after))


def _report(uri: str) -> Report | None:
    try:
        return Report.read(uri)
    except FileNotFoundError:
        return None


def _scores(uri: str) -> dict[float, tuple[float, float]]:
    try:
        drawn = Curves.read(uri)
    except FileNotFoundError:  # of an earlier version
        return {}
    return {key: (label, score) for key, label, score in drawn.rows}


def scores_of_both(before: Side, after: Side) -> list[tuple[float, float, float]]:
    """Return label, first score and second score of the rows that both runs scored."""
    both = (
        (label, before.scores[key], score)
        for key, (label, score) in after.scores.items()
        if key in before.scores
    )
    return [(label, old, new) for label, (known, old), new in both if known == label]


def _columns(uri: str) -> Mapping[str, Measured] | None:
    try:
        return of_statistics(stored.load(uri, _SPLIT).datasets[0])
    except DataError:  # removed since, or damaged
        return None


def _metrics(before: Summary, after: Summary) -> tuple[MetricChange, ...] | None:
    if before.evaluation is None or after.evaluation is None:
        return None
    task, old, new = task_of(after.evaluation), *_overall(before, after)
    objective = after.evaluation.get("objective", task.OBJECTIVE)
    shown = [m for m in task.shown(objective, new) if m.name in old and m.name in new]
    changes = [_change(m, old[m.name], new[m.name]) for m in shown if m.better is not None]
    return tuple(sorted(changes, key=lambda change: change.name != objective))


def _overall(*summaries: Summary) -> Iterator[Mapping[str, Any]]:
    for summary in summaries:
        assert summary.evaluation is not None
        yield summary.evaluation["overall"]


def _change(metric: Metric, before: float | None, after: float | None) -> MetricChange:
    verdict: Literal["better", "worse", "same"] | None = None
    if before is not None and after is not None:
        gain = metric.loss(before) - metric.loss(after)
        verdict = "same" if gain == 0 else "better" if gain > 0 else "worse"
    assert metric.better is not None
    return MetricChange(
        name=metric.name,
        title=metric.title,
        better=metric.better,
        before=before,
        after=after,
        verdict=verdict,
    )


def _slices(before: Side, after: Side) -> tuple[SliceChange, ...] | None:
    if before.report is None or after.report is None or after.summary.evaluation is None:
        return None
    if (before.report.task, before.report.objective) != (after.report.task, after.report.objective):
        return ()
    judged = task_of(after.summary.evaluation).judged(after.report.overall)
    objective = next(metric for metric in judged if metric.name == after.report.objective)
    least = after.report.min_slice_examples
    old = {_place(s): s.metrics for s in before.report.slices}
    changes = []
    for each in after.report.slices:
        if (known := old.get(_place(each))) is None:
            continue
        examples = (int(known["examples"]), int(each.metrics["examples"]))
        change = _change(objective, known[objective.name], each.metrics[objective.name])
        if min(examples) >= least and change.verdict in ("better", "worse"):
            changes.append(
                SliceChange(column=each.column, value=each.value, examples=examples, change=change)
            )
    return tuple(sorted(changes, key=lambda each: _gain(each.change, objective)))


def _place(of: SliceMetrics) -> tuple[str, str, str]:
    return of.column, of.value, of.kind


def _gain(change: MetricChange, metric: Metric) -> float:
    assert change.before is not None
    assert change.after is not None
    return metric.loss(change.before) - metric.loss(change.after)


def _moved(
    before: Mapping[str, Measured] | None, after: Mapping[str, Measured] | None
) -> tuple[ColumnChange, ...] | None:
    if before is None or after is None:
        return None
    changes = [
        change
        for name in before
        if name in after
        for change in _column(name, before[name], after[name])
        if change.value > change.chance
    ]
    return tuple(sorted(changes, key=lambda each: -each.value))


def _column(name: str, before: Measured, after: Measured) -> Iterator[ColumnChange]:
    if before.rows and after.rows:
        missing = (1 - before.present / before.rows, 1 - after.present / after.rows)
        value, chance = abs(missing[1] - missing[0]), chance_of_l_infinity(before.rows, after.rows)
        yield ColumnChange(column=name, measure="MISSING", value=value, chance=chance)
    if not before.total or not after.total:
        return
    if before.values:
        value = _l_infinity(before, after)
        chance = chance_of_l_infinity(before.total, after.total)
        yield ColumnChange(column=name, measure="L_INFTY", value=value, chance=chance)
    elif before.mean is not None and after.mean is not None and before.stddev:
        value = abs(after.mean - before.mean) / before.stddev
        chance = Z_TWO_SIDED * math.sqrt(1 / before.total + 1 / after.total)
        yield ColumnChange(column=name, measure="MEAN", value=value, chance=chance)


def _l_infinity(before: Measured, after: Measured) -> float:
    return max(
        abs(after.values.get(each, 0) / after.total - before.values.get(each, 0) / before.total)
        for each in {*before.values, *after.values}
    )
