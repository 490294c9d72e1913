"""Judges a SavedModel on the test split: one pass, from raw examples to a verdict with reasons.

The function takes the exported model, examples, thresholds and the model served so far. It writes
a `Report` as metrics.json and returns it. No arithmetic on features happens here: scores and labels
come from the graph that serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components import progress, runner
from components.evaluate.curves import Curves
from components.evaluate.figures import Figures, Totals
from components.evaluate.judge import judge
from components.evaluate.published import content_digest
from components.evaluate.report import LastBlessed, Report, Uncalibrated, worst
from components.evaluate.scoring import EvaluationModel, ScoreBatches, SumBatches
from components.evaluate.slices import Slicing, choose_slices
from components.example_batches import read_examples
from components.examples import count_rows, split_folder
from components.export.signatures import EVALUATION
from components.ingest.outcome import outcome
from components.tasks.protocol import Metrics, work_of
from schemas.columns import Column, find
from schemas.errors import DataError, ModelError
from schemas.evaluation import Evaluation
from schemas.tasks import BY_NAME
from schemas.tasks.options import TaskOptions

STAGE = "evaluate"
SPLIT = "test"


def evaluate(
    *,
    model: str,
    examples: str,
    columns: Sequence[Column],
    label: TaskOptions,
    evaluation: Evaluation,
    last_blessed: str | None,
    output: str,
    options: PipelineOptions | None = None,
) -> Report:
    """Judge a model on the test split.

    Args:
      model: folder of a SavedModel with an `evaluation` signature.
      examples: folder of examples.
      columns: the examples' columns.
      label: what the model predicts.
      evaluation: thresholds, and the columns to slice by.
      last_blessed: folder of the SavedModel served so far, scored on the same rows; None if there
        is none. One that cannot be scored on these examples is noted and not compared.
      output: folder to write metrics.json into.
      options: Beam's; None runs in this process.

    Returns:
      What was written.

    Raises:
      DataError: the test split is empty.
      ModelError: the model cannot be scored on these examples, or gives invalid scores.
    """
    if not count_rows(examples, SPLIT):
        raise DataError(
            f"the {SPLIT} split has no rows to judge a model on",
            where=split_folder(examples, SPLIT),
            remedy="give more rows, or a larger share under splits: in pipeline.yaml",
        )
    sliced = [
        find(columns, name, where="evaluation.slices") for name in dict.fromkeys(evaluation.slices)
    ]
    subject = EvaluationModel(model, columns)
    _require_label_columns(subject, label, where=model)
    last, rival = _last_blessed(last_blessed, model, columns)
    slicings = choose_slices(examples, SPLIT, sliced)
    figures = _measure(label, examples, subject, rival, slicings, output, options)
    report = _report(figures, last, label=label, evaluation=evaluation, where=model)
    if subject.calibrated:
        report = report.model_copy(update={"uncalibrated": _uncalibrated(figures)})
    named = _named(report, label, last_scored=rival is not None)
    intervals = {name: figures.intervals[i] for name, i in named.items()}
    report = report.model_copy(update={"intervals": intervals})
    report.write(output)
    _curves(figures, named).write(output)
    _tell(report)
    return report


def _named(report: Report, label: TaskOptions, *, last_scored: bool) -> dict[str, int]:
    """Return the places of the models that count in `Figures`, by their names."""
    _, linear = type(label).BASELINES
    names = {"model": 0, linear.name: 1}
    if last_scored and report.last_blessed is not None and report.last_blessed.metrics is not None:
        names["last_blessed"] = 2
    if report.uncalibrated is not None:
        names["uncalibrated"] = 3 if last_scored else 2
    return names


def _curves(figures: Figures, named: Mapping[str, int]) -> Curves:
    """Return what is drawn: the curves of all models if they are few, else of this one."""
    of_this = figures.curves[0]
    return Curves(
        models={
            name: figures.curves[i]
            for name, i in named.items()
            if of_this and (i == 0 or len(of_this) == 1)
        },
        histograms=figures.histograms,
        numbers=figures.numbers,
        rows=figures.rows,
    )


def _require_label_columns(model: EvaluationModel, label: TaskOptions, *, where: str) -> None:
    inputs = {c.name for c in model.inputs}
    for name in label.columns:
        if name not in inputs:
            raise ModelError(
                f"the model does not take {name!r}, which the label {label.name!r} is made from",
                where=f"{where}: signature {EVALUATION!r}",
                remedy="export the model again with the label of pipeline.yaml",
            )


def _last_blessed(
    path: str | None, model: str, columns: Sequence[Column]
) -> tuple[LastBlessed | None, EvaluationModel | None]:
    """Return the last blessed model, to be scored if it can be; a note says why it cannot."""
    if path is None:
        return None, None
    if content_digest(path) == content_digest(model):
        note = "it is this same model, pushed before: there is nothing to compare"
        return LastBlessed(path=path, note=note), None
    try:
        return LastBlessed(path=path), EvaluationModel(path, columns)
    except ModelError as error:
        return LastBlessed(path=path, note=f"it cannot be scored: {error.what}"), None


def _measure(
    task: TaskOptions,
    examples: str,
    model: EvaluationModel,
    last_blessed: EvaluationModel | None,
    slicings: Sequence[Slicing],
    output: str,
    options: PipelineOptions | None,
) -> Figures:
    """Score the split with all models in one Beam pass and return the figures."""
    score = ScoreBatches(model, last_blessed, slicings, task.weight)
    needed = dict.fromkeys(c.name for c in (*score.columns, *(s.column for s in slicings)))
    if task.weight is not None:
        needed[task.weight] = None
    steps = (
        read_examples(examples, SPLIT, list(needed))
        | "Score" >> beam.ParDo(score)
        | "Sum" >> beam.CombineGlobally(SumBatches(task, score.models, slicings))
        | "Figures" >> beam.Map(Totals.figures, slicings)
    )
    with runner.shared_folder(output, STAGE, options) as folder:
        return outcome(STAGE, steps, folder, Figures, options)


def _report(
    figures: Figures,
    last: LastBlessed | None,
    *,
    label: TaskOptions,
    evaluation: Evaluation,
    where: str,
) -> Report:
    """Judge the figures and put everything together."""
    work, task = work_of(label.task), type(label)
    constant, linear = task.BASELINES
    overall = _valid(figures, 0, "the model", work.VALID, where=where)
    baselines = {
        constant.name: work.constant(overall, label),
        linear.name: _valid(figures, 1, f"the baseline, {linear.phrase},", work.VALID, where=where),
    }
    last = _compared(last, figures)
    reasons = judge(
        overall,
        evaluation.thresholds,
        task=label,
        baselines=baselines,
        last_blessed=last.metrics if last else None,
    )
    return Report(
        task=label.task,
        objective=label.objective,
        label=label.name,
        split=SPLIT,
        blessed=not reasons,
        reasons=reasons,
        overall=overall,
        baselines=baselines,
        last_blessed=last,
        slices=figures.slices,
        worst_slices=worst(
            figures.slices,
            overall,
            objective=task.metric(label.objective),
            min_examples=evaluation.min_slice_examples,
        ),
        min_slice_examples=evaluation.min_slice_examples,
        weight=label.weight,
        reliability=figures.reliability[0],
        coverage=figures.coverage,
    )


def _valid(figures: Figures, index: int, name: str, expected: str, *, where: str) -> Metrics:
    """Return a model's metrics, which must be over every row."""
    metrics, invalid = figures.models[index], figures.invalid[index]
    if invalid or metrics is None:
        raise ModelError(
            f"{name} gives no valid score, or the graph no valid label, for {invalid:,} rows"
            f" of the {SPLIT} split",
            where=where,
            expected=f"{expected} in every row",
            remedy="check whether training diverged: lower the learning rate, or clip a feature",
        )
    return metrics


def _uncalibrated(figures: Figures) -> Uncalibrated | None:
    metrics = figures.models[-1]
    if metrics is None:
        return None
    return Uncalibrated(metrics=metrics, reliability=figures.reliability[-1])


def _compared(last: LastBlessed | None, figures: Figures) -> LastBlessed | None:
    """Return the last blessed model with its metrics, or with a note why they do not count."""
    if last is None or last.note is not None:
        return last
    if figures.relabelled:
        note = f"it was made for another label: {figures.relabelled:,} rows differ"
    elif figures.invalid[2]:
        note = f"it cannot be scored: it gives no valid score for {figures.invalid[2]:,} rows"
    else:
        return last.model_copy(update={"metrics": figures.models[2]})
    return last.model_copy(update={"note": note})


def _tell(report: Report) -> None:
    names = [metric.name for metric in BY_NAME[report.task].judged(report.overall)]
    values = {name: report.overall[name] for name in names}
    progress.note(
        STAGE,
        blessed=int(report.blessed),
        examples=report.overall["examples"],
        **{name: value for name, value in values.items() if value is not None},
    )
