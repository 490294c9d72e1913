"""Artifacts of a run + its export → a proof that serving gives what training computed, or why not.

Goes in: the examples, the transform graph, the trained models and the exported SavedModel. Comes
out: a `Proof`, written as parity.json. Promised: a way of serving that cannot be asked (the export
does not load, a process dies) is a failure of the proof, with its reason.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from components import progress
from components.export import signatures as names
from components.export.export import read_layout
from components.parity import ways
from components.parity.boundaries import bucket_boundaries
from components.parity.compare import RELATIVE, ValueDifference, compare
from components.parity.processes import Answers, NoAnswerError
from components.parity.proof import Difference, Failure, PathResult, Proof, WayResult
from components.parity.questions import Question, Reference, expected_outputs
from components.parity.rows import Rows, make_rows, readable
from components.parity.ways import Plan, Way
from schemas.columns import Column
from schemas.spec import Export, Label

REAL_ROWS = 10_000
_DEFAULTS = Export()

_KEPT = 3  # differences of each question and feature


def prove(
    *,
    examples: str,
    transform_graph_dir: str,
    trained_dir: str,
    saved_model: str,
    columns: tuple[Column, ...],
    label: Label,
    output: str,
    answers: Export = _DEFAULTS,
    real_rows: int = REAL_ROWS,
) -> Proof:
    """Compare every way of serving with transform-then-predict, and write parity.json.

    Args:
      examples: folder of raw examples; real rows come from the test split first, then eval, train.
      transform_graph_dir: TFT's output folder with layout.json.
      trained_dir: folder of the trained model and its baseline.
      saved_model: the exported SavedModel's folder.
      columns: the raw columns of schema.pbtxt.
      label: what the label is made from.
      output: folder that gets parity.json.
      answers: names of the classes and threshold that `predict` answers with.
      real_rows: how many real rows to compare at most.
    """
    layout = read_layout(transform_graph_dir)
    serving = names.serving_columns(columns, layout)
    evaluation = names.evaluation_columns(columns, layout, label)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        # They load the export while the questions are thought of, and answer while they are
        # answered here.
        processes = ways.Processes(saved_model, folder, stack)
        boundaries = bucket_boundaries(transform_graph_dir, layout)
        rows = make_rows(examples, evaluation, serving, real_rows, boundaries)
        asked = processes.ask(Plan.of(rows, serving, evaluation))
        from components.parity.reference import transform_then_predict

        reference = transform_then_predict(
            rows.batch,
            evaluation,
            transform_graph=transform_graph_dir,
            trained=trained_dir,
            layout=layout,
            answers=answers,
        )
        proof = judge(asked, reference, rows)
    proof.write(output)
    progress.rows("parity", len(rows.names))
    progress.note(
        "parity",
        ways_of_serving=len(proof.ways),
        values_compared=sum(path.values for path in proof.paths),
        values_differing=sum(path.differing for path in proof.paths),
    )
    return proof


def judge(asked: Iterable[Way], reference: Reference, rows: Rows) -> Proof:
    """Compare what ways of serving answer with what training computed."""
    judged = [(way, list(_judge(way, reference, rows))) for way in asked]
    everything = [each for _, found in judged for each in found]
    failures = tuple(j.failure for j in everything if j.failure)
    differences = tuple(d for j in everything for d in j.differences)
    return Proof(
        proven=not failures and not differences,
        real_rows=rows.real_rows,
        real_by_split=dict(rows.real),
        adversarial_rows=rows.adversarial_rows,
        relative_tolerance=RELATIVE,
        ways=tuple(_sum(way, found) for way, found in judged),
        paths=tuple(j.result for j in everything if j.result),
        failures=failures,
        differences=differences,
    )


@dataclass(frozen=True)
class _Judged:
    """What came of one question, or of a way of serving as a whole."""

    result: PathResult | None = None
    failure: Failure | None = None
    differences: tuple[Difference, ...] = ()


def _judge(way: Way, reference: Reference, rows: Rows) -> Iterator[_Judged]:
    try:
        answers = way.answers()
    except NoAnswerError as error:
        yield _Judged(failure=Failure(path=way.title, reason=str(error)))
        return
    for question in way.asked:
        yield _judge_one(way.title, question, answers, reference, rows)


def _judge_one(
    way: str, question: Question, answers: Answers, reference: Reference, rows: Rows
) -> _Judged:
    path, answer = f"{way}: {question.name}", answers[question.name]
    if isinstance(answer, NoAnswerError):
        return _Judged(failure=Failure(path=path, reason=str(answer)))
    # Warnings are about a row, not computed from the model: training has nothing to compare.
    answer = {name: values for name, values in answer.items() if name not in names.ABOUT_A_ROW}
    comparison = compare(expected_outputs(question, reference), answer, keep=_KEPT)
    result = PathResult(
        way=way,
        asked=question.name,
        rows=question.rows.stop - question.rows.start,
        refused=0 if question.refused is None else int(question.refused.sum()),
        values=comparison.values,
        differing=comparison.differing,
        largest=comparison.largest,
    )
    first = question.rows.start
    differences = tuple(_difference(path, first, d, rows) for d in comparison.worst)
    return _Judged(result=result, differences=differences)


def _sum(way: Way, judged: Sequence[_Judged]) -> WayResult:
    results = [j.result for j in judged if j.result]
    return WayResult(
        name=way.title,
        cannot_carry=way.cannot_carry,
        questions=len(way.asked),
        failed=len(way.asked) - len(results),
        rows=max((r.rows for r in results), default=0),
        refused=max((r.refused for r in results), default=0),
        values=sum(r.values for r in results),
        differing=sum(r.differing for r in results),
        largest=max((r.largest for r in results if r.largest is not None), default=None),
    )


def _difference(path: str, first: int, found: ValueDifference, rows: Rows) -> Difference:
    row = first + found.row
    content = rows.batch.slice(row, 1).to_pylist()[0]
    return Difference(
        path=path,
        row=rows.names[row],
        content={name: readable(value) for name, value in content.items()},
        feature=found.output,
        expected=found.expected,
        got=found.got,
        relative=found.relative,
    )
