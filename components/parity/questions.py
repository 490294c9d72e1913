"""The questions to the export, and their expected answers.

The functions take the rows and, once it is computed, what training computes for them. They return
requests to every signature, and their expected outputs. The module does not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from components.examples import as_raw_columns, objects
from components.export import signatures as names
from components.parity.compare import Expected, close
from components.parity.rows import Rows
from components.tasks.protocol import Decision, Tolerance
from schemas.columns import Column

# Rows of one request, and of one step of the reference: equal batches are computed in equal order.
REQUEST_ROWS = 4_096
# Values of one request over a network: a few megabytes of JSON, which a server accepts.
_WIRE_VALUES = 65_536
# Values of one question in JSON: for wide tables the last real rows and the adversarial ones.
_JSON_VALUES = 500_000
# A question is about at least so many real rows, however wide the table is.
_LEAST_REAL = 100
# The fates of a row that is scored from files or messages; a row may also be lost.
FATE = "fate"
SCORED, REFUSED, LOST = b"scored", b"refused", b"lost"
# Rows that are also asked one by one: an answer must not depend on the other rows of the batch.
_SINGLE_ROWS = 16
# By the size of a batch, the rows that are asked in such batches. Processors may add up in another
# order in another batch: scores may differ by the tolerance, and features have to be equal.
_BATCHES = {1: 64, 16: 512, 512: 2_000, 2_000: 2_000}


@dataclass(frozen=True)
class Question:
    """Requests to one signature.

    Attributes:
      name: of the question, unique; part of its name in the report.
      signature: the signature to run.
      feeds: its inputs, a value a row.
      rows: which of `Rows` these are.
      rows_per_request: how many of them go into one request.
      leaves_out: the columns that the request leaves to SignatureDef.defaults.
      refused: bool [rows], the rows that files and messages cannot contain, and that have to be
        rejected; None if a request can contain everything.
    """

    name: str
    signature: str
    feeds: Mapping[str, np.ndarray]
    rows: slice
    rows_per_request: int = REQUEST_ROWS
    leaves_out: tuple[str, ...] = ()
    refused: np.ndarray | None = None


@dataclass(frozen=True)
class Reference:
    """What training computes for each row.

    Attributes:
      features: the transformed features, from the transform graph.
      label: from the transform graph.
      answers: by signature and output, what the task computes from the model's logits.
      baseline_scores: the same of the baseline's, as the output that evaluation takes.
      tolerances: by output, the tolerance of serving; an output without one has to be equal.
      decisions: by output of `predict`, how it follows from another output.
      rounding: `compare.rounding_of` the model, by which tolerances are widened.
      uncalibrated_scores: of the model without its calibration; None if it has none.
    """

    features: Mapping[str, np.ndarray]
    label: np.ndarray
    answers: Mapping[str, Mapping[str, np.ndarray]]
    baseline_scores: np.ndarray
    tolerances: Mapping[str, Tolerance]
    decisions: Mapping[str, Decision]
    rounding: float = 1.0
    uncalibrated_scores: np.ndarray | None = None

    def expected(self, signature: str) -> dict[str, Expected]:
        """Return the outputs of a signature, of all rows."""
        if signature == names.TRANSFORM_FEATURES:
            return {
                name: Expected(values, padding=names.PADDING if values.ndim == 2 else None)
                for name, values in self.features.items()
            }
        answers = dict(self.answers[_ANSWERS_AS.get(signature, signature)])
        if signature == names.EVALUATION:
            answers |= {names.BASELINE_SCORES: self.baseline_scores, names.LABEL: self.label}
            if self.uncalibrated_scores is not None:
                answers |= {names.UNCALIBRATED_SCORES: self.uncalibrated_scores}
        return {
            name: Expected(values, self.tolerances.get(name, Tolerance()).times(self.rounding))
            for name, values in answers.items()
        }


# The signatures that answer as another one does; EVALUATION has additional outputs.
_ANSWERS_AS = dict.fromkeys((names.SERVING_DEFAULT, names.EVALUATION), names.RAW_COLUMNS)


def questions(
    rows: Rows,
    serving: tuple[Column, ...],
    evaluation: tuple[Column, ...],
    methods: tuple[str, ...],
) -> list[Question]:
    """Return every question; the one that names features comes first.

    Args:
      rows: the rows to ask about.
      serving: the raw columns of a request.
      evaluation: those and the label's own.
      methods: the signatures for :classify and :regress.
    """
    from components.encoded_examples import as_tf_examples  # TensorFlow's encoder

    everything = slice(0, rows.batch.num_rows)
    examples = objects(as_tf_examples(rows.batch, serving))
    raw = as_raw_columns(rows.batch, evaluation)
    asked = [
        Question(name, name, {names.EXAMPLE_INPUTS[name]: examples}, everything)
        for name in (names.TRANSFORM_FEATURES, names.SERVING_DEFAULT, *methods)
    ]
    requested = {c.name: raw[c.name] for c in serving}
    asked += [Question(name, name, requested, everything) for name in names.BY_COLUMN]
    asked.append(Question(names.EVALUATION, names.EVALUATION, raw, everything))
    return asked + _row_by_row(asked) + _leaving_out(rows, requested)


def in_batches(asked: Iterable[Question]) -> list[Question]:
    """Return questions about the first rows, in batches of several sizes."""
    return [
        replace(
            _part(question, slice(0, min(rows, question.rows.stop))),
            name=f"{question.name} in batches of {size:,}",
            rows_per_request=size,
        )
        for question in asked
        if question.name in (names.PREDICT, names.TRANSFORM_FEATURES)
        for size, rows in _BATCHES.items()
    ]


def _part(question: Question, rows: slice) -> Question:
    """Return the part of a question that is about some of its rows, or the question itself."""
    if rows == question.rows:
        return question
    feeds = {name: values[rows] for name, values in question.feeds.items()}
    refused = None if question.refused is None else question.refused[rows]
    return replace(question, feeds=feeds, rows=rows, refused=refused)


def in_json(asked: Iterable[Question], rows: Rows, columns: int) -> list[Question]:
    """Return the questions about as many rows as JSON permits in a few seconds.

    Those that are about all rows leave out the first real ones if a table is wide.

    Args:
      asked: the questions.
      rows: all rows.
      columns: how many a row has.
    """
    count = len(rows.names)
    real = max(_LEAST_REAL, _JSON_VALUES // columns - rows.adversarial_rows)
    last = slice(max(0, rows.real_rows - real), count)
    return [_part(q, last) if q.rows == slice(0, count) else q for q in asked]


def over_a_wire(asked: Iterable[Question], columns: int) -> list[Question]:
    """Return the questions that a server's clients ask, in requests of a few megabytes.

    Args:
      asked: from `questions`.
      columns: how many a row has.
    """
    most = min(REQUEST_ROWS, max(1, _WIRE_VALUES // columns))
    return [
        replace(question, rows_per_request=min(question.rows_per_request, most))
        for question in asked
        if question.signature != names.EVALUATION
    ]


def by_example(
    rows: Rows, serving: tuple[Column, ...], asked: Iterable[Question]
) -> list[Question]:
    """Return the questions for Classify and Regress, as columns instead of bytes."""
    raw = as_raw_columns(rows.batch, serving)
    most = min(REQUEST_ROWS, max(1, _WIRE_VALUES // len(serving)))
    return [
        replace(question, feeds=raw, rows_per_request=most)
        for question in asked
        if question.signature in names.METHOD_NAMES
    ]


def of_files(rows: Rows, serving: tuple[Column, ...]) -> list[Question]:
    """Return the question for batch and streaming scoring: all rows at once."""
    count = rows.batch.num_rows
    return [
        Question(
            names.PREDICT,
            names.PREDICT,
            as_raw_columns(rows.batch, serving),
            slice(0, count),
            rows_per_request=count,
            refused=~rows.plain(serving),
        )
    ]


def _row_by_row(asked: Sequence[Question]) -> list[Question]:
    """Return questions about features and scores of single rows, each alone in its batch."""
    return [
        Question(
            f"{question.name} row by row",
            question.signature,
            {name: values[:_SINGLE_ROWS] for name, values in question.feeds.items()},
            slice(0, min(_SINGLE_ROWS, question.rows.stop)),
            rows_per_request=1,
        )
        for question in asked
        if question.signature in (names.TRANSFORM_FEATURES, *names.BY_COLUMN)
    ]


def _leaving_out(rows: Rows, requested: Mapping[str, np.ndarray]) -> list[Question]:
    """Return questions without each column; a model of one column has none."""
    if len(requested) < 2:
        return []
    lacking = rows.without
    feeds = {
        columns: {name: values[at] for name, values in requested.items() if name not in columns}
        for columns, at in lacking.items()
    }
    return [
        Question(
            f"{signature} without {_listed(columns)}",
            signature,
            feeds[columns],
            at,
            leaves_out=columns,
        )
        for signature in names.BY_COLUMN
        for columns, at in lacking.items()
    ]


def _listed(columns: Sequence[str]) -> str:
    return repr(columns[0]) + (f" and {len(columns) - 1} more" if len(columns) > 1 else "")


def expected_outputs(
    question: Question, reference: Reference, answer: Mapping[str, np.ndarray]
) -> dict[str, Expected]:
    """Return the expected answer: features exactly, scores within the tolerance.

    Args:
      question: the question.
      reference: what training computes.
      answer: the answer. If an output follows from another one whose last digits decide, such as a
        class from a score near the threshold, it has to follow from the answer's own value.
    """
    outputs = {
        name: replace(output, values=output.values[question.rows])
        for name, output in reference.expected(question.signature).items()
    }
    for name, decision in reference.decisions.items():
        given = answer.get(decision.by)
        if name in outputs and given is not None:
            outputs[name] = _decided(outputs[name], outputs[decision.by], given, decision)
    if question.refused is None:
        return outputs
    blank = {
        name: Expected(blanked(output.values, question.refused), output.tolerance)
        for name, output in outputs.items()
    }
    fate = np.where(question.refused, REFUSED.decode(), SCORED.decode())
    return {FATE: Expected(np.char.encode(fate).astype(object)), **blank}


def blanked(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return values with NaN, or b"", in the rows that have no value."""
    values = values.copy()
    values[where] = b"" if values.dtype == object else np.nan
    return values


def _decided(expected: Expected, by: Expected, given: np.ndarray, decision: Decision) -> Expected:
    """Return what follows from the answered other output, in the rows where that is close."""
    if given.shape != by.values.shape or given.dtype != by.values.dtype:
        return expected
    near = close(by, given).reshape(len(given), -1).all(axis=1)
    near = near.reshape(-1, *[1] * (expected.values.ndim - 1))
    return Expected(np.where(near, decision.decide(given), expected.values), expected.tolerance)
