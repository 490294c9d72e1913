"""Answers of all ways of serving, compared with what training computed.

Goes in: questions with their answers, and the reference. Comes out: for each question how it
fared, which rows differ and by how much. A way that failed as a whole is one failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.export import signatures as names
from components.parity.compare import ValueDifference, compare
from components.parity.processes import Answers, NoAnswerError
from components.parity.proof import Difference, Failure, PathResult, Proof, WayResult
from components.parity.questions import Question, Reference, expected_outputs
from components.parity.rows import Rows
from components.parity.values import readable
from components.parity.ways import Way
from components.tasks.protocol import RELATIVE

_KEPT = 3  # differences of each question and output
# Raw values that a proof holds of the rows that differ, some megabytes of JSON.
_MOST_VALUES = 200_000


@dataclass(frozen=True)
class Judged:
    """What came of one question, or of a way of serving as a whole.

    Attributes:
      way: the way of serving.
      question: what was asked; None where the way failed as a whole.
      result: the figures; None where there is no answer.
      failure: why there is no answer.
      worst: the largest differences of each output; rows count from the question's first.
      differing: by output, bool [rows of the question], where it differs.
    """

    way: Way
    question: Question | None = None
    result: PathResult | None = None
    failure: Failure | None = None
    worst: tuple[ValueDifference, ...] = ()
    differing: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that the question left out."""
        return self.question.leaves_out if self.question else ()

    @property
    def path(self) -> str:
        """Way and question."""
        return self.way.title if self.question is None else path_of(self.way, self.question)


def path_of(way: Way, question: Question) -> str:
    """Return what a question to a way of serving is called."""
    return f"{way.title}: {question.name}"


def judge(asked: Iterable[Way], reference: Reference, rows: Rows) -> Proof:
    """Compare what ways of serving answer with what training computed, once."""
    return proof_of(examine(asked, reference, rows), rows, reference.rounding)


def examine(asked: Iterable[Way], reference: Reference, rows: Rows) -> list[Judged]:
    """Compare question by question, one way after the other."""
    return [judged for way in asked for judged in _judge(way, reference, rows)]


def _judge(way: Way, reference: Reference, rows: Rows) -> Iterator[Judged]:
    try:
        answers = way.answers()
    except NoAnswerError as error:
        yield Judged(way, failure=Failure(path=way.title, reason=str(error)))
        return
    changes = rows.changes
    for question in way.asked:
        yield _judge_one(way, question, answers, reference, changes[question.rows])


def _judge_one(
    way: Way, question: Question, answers: Answers, reference: Reference, changes: np.ndarray
) -> Judged:
    """Compare one answer; of the rows that differ, those with the fewest changes come first."""
    answer = answers[question.name]
    if isinstance(answer, NoAnswerError):
        failure = Failure(path=path_of(way, question), reason=str(answer))
        return Judged(way, question, failure=failure)
    # Warnings are about a row, not computed from the model: training has nothing to compare.
    answer = {name: values for name, values in answer.items() if name not in names.ABOUT_A_ROW}
    expected = expected_outputs(question, reference, answer)
    comparison = compare(expected, answer, keep=_KEPT, rank=np.where(changes > 1, changes, 0))
    result = PathResult(
        way=way.title,
        asked=question.name,
        rows=question.rows.stop - question.rows.start,
        refused=0 if question.refused is None else int(question.refused.sum()),
        values=comparison.values,
        differing=comparison.differing,
        largest=comparison.largest,
    )
    return Judged(way, question, result, None, comparison.worst, comparison.rows)


def proof_of(judged: Sequence[Judged], rows: Rows, rounding: float) -> Proof:
    """Return what was found, with the reference's `rounding`, as it is kept."""
    failures = tuple(j.failure for j in judged if j.failure)
    return Proof(
        proven=not failures and not any(j.worst for j in judged),
        real_rows=rows.real_rows,
        real_by_split=dict(rows.real),
        adversarial_rows=rows.adversarial_rows,
        relative_tolerance=RELATIVE * rounding,
        ways=tuple(_sum(way, judged) for way in {id(j.way): j.way for j in judged}.values()),
        paths=tuple(j.result for j in judged if j.result),
        failures=failures,
        differences=differences_of(judged, rows),
    )


def _sum(way: Way, everything: Sequence[Judged]) -> WayResult:
    results = [j.result for j in everything if j.way is way and j.result]
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


def differences_of(judged: Sequence[Judged], rows: Rows) -> tuple[Difference, ...]:
    """Return the largest differences with their rows: of wide tables fewer of each question."""
    most = max(1, _MOST_VALUES // rows.batch.num_columns)
    kept = [len(j.worst) for j in judged]
    while sum(kept) > most and max(kept) > 1:
        kept = [-(-count // 2) for count in kept]
    return tuple(
        _difference(j, worst, rows)
        for j, count in zip(judged, kept, strict=True)
        for worst in j.worst[:count]
    )


def _difference(judged: Judged, found: ValueDifference, rows: Rows) -> Difference:
    assert judged.question is not None  # it was answered
    row = judged.question.rows.start + found.row
    content = rows.batch.slice(row, 1).to_pylist()[0]
    return Difference(
        path=judged.path,
        row=rows.names[row],
        content={name: readable(value) for name, value in content.items()},
        feature=found.output,
        expected=found.expected,
        got=found.got,
        relative=found.relative,
    )
