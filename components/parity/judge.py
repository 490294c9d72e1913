"""Compares the answers of all serving paths with what training computed.

The functions take questions with their answers, and the reference. They return the result of each
question, which rows differ, and how much. A path that failed as a whole is one failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.export import signatures as names
from components.parity.answers import PathAnswers
from components.parity.compare import ValueDifference, compare
from components.parity.processes import Answers, NoAnswerError
from components.parity.proof import Difference, PathFailure, PathResult, Proof, QuestionResult
from components.parity.questions import Question, Reference, expected_outputs
from components.parity.rows import Rows
from components.tasks.protocol import RELATIVE

_KEPT = 3  # differences of each question and output
# Raw values that a proof has of the rows that differ, a few megabytes of JSON.
_MOST_VALUES = 200_000


@dataclass(frozen=True)
class Judged:
    """The result of one question, or of a serving path as a whole.

    Attributes:
      serving_path: its name and answers.
      question: the question; None if the path failed as a whole.
      result: the figures; None if there is no answer.
      failure: why there is no answer.
      worst: the largest differences of each output; rows count from the question's first.
      differing: by output, bool [rows of the question], where it differs.
    """

    serving_path: PathAnswers
    question: Question | None = None
    result: QuestionResult | None = None
    failure: PathFailure | None = None
    worst: tuple[ValueDifference, ...] = ()
    differing: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that the question left out."""
        return self.question.leaves_out if self.question else ()

    @property
    def path(self) -> str:
        """Serving path and question."""
        if self.question is None:
            return self.serving_path.name
        return path_of(self.serving_path, self.question)


# The model does not compute warnings, so training has nothing to compare them with; whether a label
# is in an interval follows from the interval, which is compared.
_NOT_COMPARED = (*names.ABOUT_A_ROW, names.COVERED)


def path_of(path: PathAnswers, question: Question) -> str:
    """Return the name of a question to a serving path."""
    return f"{path.name}: {question.name}"


def judge(paths: Iterable[PathAnswers], reference: Reference, rows: Rows) -> Proof:
    """Compare what serving paths answer with what training computed, once."""
    return proof_of(examine(paths, reference, rows), rows, reference.rounding)


def examine(paths: Iterable[PathAnswers], reference: Reference, rows: Rows) -> list[Judged]:
    """Compare question by question, one path after the other."""
    return [judged for path in paths for judged in _judge(path, reference, rows)]


def _judge(path: PathAnswers, reference: Reference, rows: Rows) -> Iterator[Judged]:
    try:
        answers = path.answers()
    except NoAnswerError as error:
        yield Judged(path, failure=PathFailure(path=path.name, reason=str(error)))
        return
    changes = rows.changes
    for question in path.questions:
        yield _judge_one(path, question, answers, reference, changes[question.rows])


def _judge_one(
    path: PathAnswers,
    question: Question,
    answers: Answers,
    reference: Reference,
    changes: np.ndarray,
) -> Judged:
    """Compare one answer; of the rows that differ, those with the fewest changes come first."""
    answer = answers[question.name]
    if isinstance(answer, NoAnswerError):
        failure = PathFailure(path=path_of(path, question), reason=str(answer))
        return Judged(path, question, failure=failure)
    answer = {name: values for name, values in answer.items() if name not in _NOT_COMPARED}
    expected = expected_outputs(question, reference, answer)
    comparison = compare(expected, answer, keep=_KEPT, rank=np.where(changes > 1, changes, 0))
    result = QuestionResult(
        serving_path=path.name,
        question=question.name,
        rows=question.rows.stop - question.rows.start,
        refused=0 if question.refused is None else int(question.refused.sum()),
        values=comparison.values,
        differing=comparison.differing,
        largest=comparison.largest,
    )
    return Judged(path, question, result, None, comparison.worst, comparison.rows)


def proof_of(judged: Sequence[Judged], rows: Rows, rounding: float) -> Proof:
    """Return the proof of these results; `rounding` is the reference's."""
    failures = tuple(j.failure for j in judged if j.failure)
    return Proof(
        proven=not failures and not any(j.worst for j in judged),
        real_rows=rows.real_rows,
        real_by_split=dict(rows.real),
        adversarial_rows=rows.adversarial_rows,
        relative_tolerance=RELATIVE * rounding,
        serving_paths=tuple(
            _sum(path, judged)
            for path in {id(j.serving_path): j.serving_path for j in judged}.values()
        ),
        questions=tuple(j.result for j in judged if j.result),
        failures=failures,
        differences=differences_of(judged, rows),
    )


def _sum(path: PathAnswers, everything: Sequence[Judged]) -> PathResult:
    results = [j.result for j in everything if j.serving_path is path and j.result]
    return PathResult(
        name=path.name,
        cannot_carry=path.cannot_carry,
        questions=len(path.questions),
        failed=len(path.questions) - len(results),
        rows=max((r.rows for r in results), default=0),
        refused=max((r.refused for r in results), default=0),
        values=sum(r.values for r in results),
        differing=sum(r.differing for r in results),
        largest=max((r.largest for r in results if r.largest is not None), default=None),
    )


def differences_of(judged: Sequence[Judged], rows: Rows) -> tuple[Difference, ...]:
    """Return the largest differences with their rows: in wide tables fewer of each question."""
    most = max(1, _MOST_VALUES // rows.batch.num_columns)
    kept = [len(j.worst) for j in judged]
    while sum(kept) > most and max(kept) > 1:
        kept = [-(-count // 2) for count in kept]
    return tuple(
        _difference(j, worst, rows)
        for j, count in zip(judged, kept, strict=True)
        for worst in j.worst[:count]
    )


def _difference(judged: Judged, difference: ValueDifference, rows: Rows) -> Difference:
    assert judged.question is not None  # it was answered
    row = judged.question.rows.start + difference.row
    return Difference(
        path=judged.path,
        row=rows.names[row],
        content=rows.content(row),
        feature=difference.output,
        expected=difference.expected,
        got=difference.got,
        relative=difference.relative,
    )
