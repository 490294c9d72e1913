"""Artifacts of a run + its export → a proof that serving gives what training computed, or why not.

Goes in: the examples, the transform graph, the trained models and the exported SavedModel. Comes
out: a `Proof`, written as parity.json. Promised: a way of serving that cannot be asked (the export
does not load, a process dies) is a failure of the proof, with its reason.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components import progress
from components.export import signatures as names
from components.export.export import read_layout
from components.parity.compare import RELATIVE, ValueDifference, compare
from components.parity.fresh_process import C_API, PYTHON
from components.parity.processes import FreshProcess, NoAnswerError
from components.parity.proof import Difference, Failure, PathResult, Proof
from components.parity.questions import Question, Reference, expected_outputs, questions
from components.parity.rows import Rows, make_rows, readable
from schemas.columns import Column
from schemas.spec import Label

REAL_ROWS = 1_000

_TITLES = {PYTHON: "Python", C_API: "C API"}
_KEPT = 3  # differences of each way of serving and feature

Answers = Mapping[str, Mapping[str, np.ndarray] | NoAnswerError]


def prove(
    *,
    examples: str,
    transform_graph_dir: str,
    trained_dir: str,
    saved_model: str,
    columns: tuple[Column, ...],
    label: Label,
    output: str,
    real_rows: int = REAL_ROWS,
) -> Proof:
    """Compare every way of serving with transform-then-predict, and write parity.json.

    Args:
      examples: folder of raw examples; the rows come from the test split.
      transform_graph_dir: TFT's output folder with layout.json.
      trained_dir: folder of the trained model and its baseline.
      saved_model: the exported SavedModel's folder.
      columns: the raw columns of schema.pbtxt.
      label: what the label is made from.
      output: folder that gets parity.json.
      real_rows: how many rows of the test split to compare at most.
    """
    layout = read_layout(transform_graph_dir)
    serving = names.serving_columns(columns, layout)
    evaluation = names.evaluation_columns(columns, layout, label)
    rows = make_rows(examples, evaluation, serving, real_rows)
    asked = questions(rows, serving, evaluation)
    # `tf.saved_model.load` gives functions, which know no SignatureDef.defaults.
    complete = [question for question in asked if question.leaves_out is None]
    with (
        tempfile.TemporaryDirectory() as folder,
        FreshProcess(PYTHON, saved_model, folder, complete) as python,
        FreshProcess(C_API, saved_model, folder, asked) as c_api,
    ):
        # While both start TensorFlow and load the export.
        from components.parity.reference import transform_then_predict

        reference = transform_then_predict(
            rows.batch,
            evaluation,
            transform_graph=transform_graph_dir,
            trained=trained_dir,
            layout=layout,
        )
        judged = [
            *_judge(python, _TITLES[PYTHON], complete, reference, rows),
            *_judge(c_api, _TITLES[C_API], asked, reference, rows),
        ]
    proof = _proof(judged, rows)
    proof.write(output)
    progress.rows("parity", len(rows.names))
    progress.note(
        "parity",
        ways_of_serving=len(proof.paths),
        values_compared=sum(path.values for path in proof.paths),
        values_differing=sum(path.differing for path in proof.paths),
    )
    return proof


@dataclass(frozen=True)
class _Judged:
    """What came of one question, or of a process as a whole."""

    result: PathResult | None = None
    failure: Failure | None = None
    differences: tuple[Difference, ...] = ()


def _judge(
    process: FreshProcess, title: str, asked: Sequence[Question], reference: Reference, rows: Rows
) -> Iterator[_Judged]:
    try:
        answers = process.answers()
    except NoAnswerError as error:
        yield _Judged(failure=Failure(path=title, reason=str(error)))
        return
    for question in asked:
        yield _judge_one(f"{title}: {question.name}", question, answers, reference, rows)


def _judge_one(
    path: str, question: Question, answers: Answers, reference: Reference, rows: Rows
) -> _Judged:
    answer = answers[question.name]
    if isinstance(answer, NoAnswerError):
        return _Judged(failure=Failure(path=path, reason=str(answer)))
    comparison = compare(expected_outputs(question, reference), answer, keep=_KEPT)
    result = PathResult(
        name=path,
        rows=question.rows.stop - question.rows.start,
        values=comparison.values,
        differing=comparison.differing,
    )
    first = question.rows.start
    differences = tuple(_difference(path, first, d, rows) for d in comparison.worst)
    return _Judged(result=result, differences=differences)


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


def _proof(judged: Sequence[_Judged], rows: Rows) -> Proof:
    failures = tuple(j.failure for j in judged if j.failure)
    differences = tuple(d for j in judged for d in j.differences)
    return Proof(
        proven=not failures and not differences,
        real_rows=rows.real,
        adversarial_rows=rows.adversarial,
        relative_tolerance=RELATIVE,
        paths=tuple(j.result for j in judged if j.result),
        failures=failures,
        differences=differences,
    )
